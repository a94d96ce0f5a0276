/** A provisioning service on bare rhea that misbehaves as a test says. Nothing of the emulator is in it. */
import rhea from 'rhea';
import type { Container, EventContext, Message } from 'rhea';
import type { TLSSocket } from 'node:tls';
import type { TlsPeer } from '@endorse/testkit';
import { startTlsPeer } from '@endorse/testkit';

/** What a service does at each step; by default it behaves. */
export interface ServiceScript {
  /** Mechanisms on offer, by name; default PLAIN, which lets everybody in. */
  readonly mechanisms?: Readonly<Record<string, () => unknown>>;
  /** The connection is open. */
  readonly onOpen?: (context: EventContext) => void;
  /** The device has attached a link. */
  readonly onAttach?: (context: EventContext) => void;
  /** The device has sent a message, the nth of its connection, from 1; `send` answers on its other link. */
  readonly onMessage?: (request: ScriptedRequest, index: number) => void;
}

/** A message of the device, and what can be done with it. */
export interface ScriptedRequest {
  readonly context: EventContext;
  readonly message: Message;
  readonly socket: TLSSocket;
  /** Sends an answer with this JSON; with the correlation id of the request unless another is given. */
  send(body: unknown, fields?: Readonly<Record<string, unknown>>): void;
}

/** An answer of the service while it works. */
export const assigning = { operationId: '5.0.op', status: 'assigning' };

/** Starts the service behind a peer; `onSocket` sees every connection before rhea does. */
export function startService(
  script: ServiceScript = {},
  onSocket: (socket: TLSSocket) => void = () => undefined,
): Promise<TlsPeer> {
  return startTlsPeer((socket) => {
    onSocket(socket);
    const container = rhea.create_container({ receiver_options: { autoaccept: false } });
    container.sasl_server_mechanisms = script.mechanisms ?? {
      PLAIN: () => letIn(),
      ANONYMOUS: () => letIn(),
    };
    serve(container, socket, script);
    rheaConnection(container).accept(socket);
  });
}

/** A mechanism of a rhea server with an outcome at once. */
export function letIn(outcome = true): unknown {
  return { outcome, start: () => undefined, step: () => undefined };
}

/** A mechanism that sends challenges, one after every response, whatever that is, and never an outcome. */
export function challenges(list: readonly string[]): () => unknown {
  return () => {
    const rest = [...list];
    const next = (): Buffer => Buffer.from(rest.shift() ?? '', 'hex');
    return { outcome: undefined, start: next, step: next };
  };
}

function serve(container: Container, socket: TLSSocket, script: ServiceScript): void {
  let messages = 0;
  container.on('connection_open', (context: EventContext) => script.onOpen?.(context));
  for (const event of ['receiver_open', 'sender_open']) {
    container.on(event, (context: EventContext) => script.onAttach?.(context));
  }
  container.on('message', (context: EventContext) => {
    messages += 1;
    const message = context.message as Message;
    const sender = context.session?.find_sender(() => true);
    const send = (body: unknown, fields: Readonly<Record<string, unknown>> = {}): void => {
      const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      sender?.send({
        correlation_id: message.correlation_id as string,
        body: rhea.message.data_section(content) as unknown,
        ...fields,
      });
    };
    const request = { context, message, socket, send };
    if (script.onMessage !== undefined) {
      script.onMessage(request, messages);
      return;
    }
    context.delivery?.accept();
    send(assigning);
  });
  for (const event of ['disconnected', 'connection_close', 'connection_error', 'session_close', 'error']) {
    container.on(event, () => undefined);
  }
  for (const event of ['receiver_close', 'sender_close', 'protocol_error'])
    container.on(event, () => undefined);
}

/** rhea gives no typed access to its own way of taking in a socket. */
function rheaConnection(container: Container): { accept(socket: TLSSocket): void } {
  return container.create_connection({ reconnect: false } as never) as never;
}
