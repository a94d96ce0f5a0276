/** The links of a registration on bare rhea, with SASL PLAIN. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Connection, Delivery, EventContext, Message, Receiver, Sender } from 'rhea';
import rhea from 'rhea';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import { deviceApiVersion, resourceOf } from '../device.ts';
import type { ProbeDevice } from '../device.ts';
import { ProbeFailure } from '../probe.ts';

/** What the service says to a request: a message, or why it is rejected. */
export type AmqpAnswer =
  | { readonly kind: 'message'; readonly message: Message; readonly isCorrelated: boolean }
  | {
      readonly kind: 'rejected';
      readonly condition: string;
      readonly description: string;
      readonly info: object;
    };

/** Both links, attached. */
export interface AmqpLinks extends AsyncDisposable {
  request(properties: Readonly<Record<string, unknown>>, body: string): Promise<AmqpAnswer>;
}

interface AmqpError {
  readonly condition: string;
  readonly description: string;
  readonly info: object;
}

const timeoutMs = 30_000;

/** Connects and attaches. Rejects when the service does not let the device in. */
export async function attachLinks(
  service: ServiceUnderTest,
  device: ProbeDevice,
  token: string,
): Promise<AmqpLinks> {
  const { hostname, port } = new URL(service.endpoints.amqp);
  const address = resourceOf(device);
  const properties = { 'com.microsoft:api-version': deviceApiVersion };
  const connection: Connection = rhea.create_container().connect({
    transport: 'tls',
    host: hostname,
    port: Number(port),
    hostname,
    servername: hostname,
    ca: service.caPem,
    username: address,
    password: token,
    reconnect: false,
  });
  const broken = new Promise<never>((_resolve, reject) => {
    for (const event of ['connection_error', 'disconnected', 'protocol_error', 'error']) {
      connection.on(event, ({ error }: EventContext) => reject(closedFailure(event, error)));
    }
  });
  broken.catch(() => undefined);
  const receiver: Receiver = connection.open_receiver({ source: { address }, properties });
  const sender: Sender = connection.open_sender({ target: { address }, properties });
  const signal = AbortSignal.timeout(timeoutMs);
  await Promise.race([once(sender, 'sendable', { signal }), broken]);
  return {
    request: async (applicationProperties, body) => {
      const correlationId = randomUUID();
      const limit = AbortSignal.timeout(timeoutMs);
      const received = once(receiver, 'message', { signal: limit }) as Promise<[EventContext]>;
      const rejected = once(sender, 'rejected', { signal: limit }) as Promise<[EventContext]>;
      received.catch(() => undefined);
      rejected.catch(() => undefined);
      sender.send({
        application_properties: applicationProperties,
        correlation_id: correlationId,
        body: rhea.message.data_section(Buffer.from(body)) as unknown,
      });
      return Promise.race([
        received.then(([{ message }]): AmqpAnswer => ({
          kind: 'message',
          message: message as Message,
          isCorrelated: message?.correlation_id === correlationId,
        })),
        rejected.then(([{ delivery }]) => rejectionOf(delivery)),
        broken,
      ]);
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(connection, 'connection_close', { signal: AbortSignal.timeout(5_000) });
      connection.close();
      await closed.catch(() => undefined);
    },
  };
}

function rejectionOf(delivery: Delivery | undefined): AmqpAnswer {
  const state = delivery?.remote_state as { readonly error?: Partial<AmqpError> } | undefined;
  const error = state?.error;
  return {
    kind: 'rejected',
    condition: error?.condition ?? 'none',
    description: error?.description ?? '',
    info: error?.info ?? {},
  };
}

function closedFailure(event: string, error: unknown): ProbeFailure {
  const { condition } = (error ?? {}) as { readonly condition?: unknown };
  return new ProbeFailure(`AMQP ${event}${typeof condition === 'string' ? `: ${condition}` : ''}`);
}
