/**
 * One AMQP connection, on rhea. Loaded with the first one, because most emulators never see any.
 *
 * A connection begins with SASL, or, when the client has shown a certificate, without; then links are attached, and
 * messages answered until the client goes.
 */
import type { Duplex } from 'node:stream';
import { parseRegistrationLink } from '@endorse/protocol';
import type { Clock } from '@endorse/interface';
import rhea from 'rhea';
import type { Connection, EventContext, Receiver, Sender } from 'rhea';
import type { EmulatorCore } from '../core/core.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { handOver } from '../faults/hand-over.ts';
import type { Stamps } from '../listener/fault-answer.ts';
import type { ConnectionInfo } from '../listener/stream-handler.ts';
import { amqpFault } from './amqp-fault.ts';
import type { AmqpPeer } from './amqp-peer.ts';
import { guardSocket } from './guarded-socket.ts';
import { answerDeviceMessage, findLinkFault } from './registration-node.ts';
import { fromAmqpMessage, toAmqpMessage } from './rhea-messages.ts';
import { saslMechanisms } from './sasl-mechanisms.ts';

/** What a connection is served with. */
export interface AmqpServerParts {
  readonly core: EmulatorCore;
  readonly stamps: Stamps;
  /** From connecting to `open`, in milliseconds: the device's TPM works in between. */
  readonly openTimeoutMs: number;
  /** For answers that are to leave late. */
  readonly sleep: Clock['sleep'];
}

/** Half of how long a peer may be silent, in milliseconds; it is told to send something before. */
const idleTimeoutMs = 120_000;

/** Serves a connection until it closes. */
export function serveAmqpConnection(
  { core, stamps, openTimeoutMs, sleep }: AmqpServerParts,
  stream: Duplex,
  { certificates }: ConnectionInfo,
): void {
  const peer: AmqpPeer = { certificates, registration: undefined };
  const container = rhea.create_container({
    id: 'endorse-emulator',
    receiver_options: { autoaccept: false, credit_window: 50 },
    sender_options: { autosettle: true },
  });
  let connection: Connection | undefined;
  const socket = guardSocket(stream, (error) => {
    const fault = faults.malformedRequest(error.message);
    core.emit({ event: 'request-refused', operation: 'amqp', ...fault });
    if (connection?.is_open() === true) connection.close(amqpFault(stamps, fault));
    // What rhea has to say leaves with the next tick.
    setImmediate(socket.close);
  });
  const opening = setTimeout(() => stream.destroy(), openTimeoutMs);
  const gone = new AbortController();
  stream.once('close', () => {
    clearTimeout(opening);
    gone.abort();
  });

  container.sasl_server_mechanisms = saslMechanisms({
    core,
    peer,
    onRefused: () => setImmediate(socket.close),
    onDropped: () => stream.destroy(),
    sleep: (delayMs) => sleep(delayMs, gone.signal),
  });
  container.on('connection_open', (context: EventContext) => {
    clearTimeout(opening);
    ({ connection } = context);
  });
  container.on('receiver_open', ({ receiver }: EventContext) => {
    if (receiver === undefined) return;
    const address = addressOf(receiver, 'target');
    receiver.set_target({ address });
    receiver.set_source({ address: addressOf(receiver, 'source') });
    checkLink(receiver, address);
  });
  container.on('sender_open', ({ sender }: EventContext) => {
    if (sender === undefined) return;
    const address = addressOf(sender, 'source');
    sender.set_source({ address });
    sender.set_target({ address: addressOf(sender, 'target') });
    checkLink(sender, address);
  });
  container.on('message', answer);
  // Their connection ends by itself; nobody has to be told.
  for (const event of silentEvents) container.on(event, () => undefined);
  for (const event of fatalEvents) {
    container.on(event, (error: unknown) => {
      const fault = faults.malformedRequest(error instanceof Error ? error.message : 'AMQP was not kept to');
      core.emit({ event: 'request-refused', operation: 'amqp', ...fault });
      setImmediate(socket.close);
    });
  }
  container.websocket_accept(
    socket as never,
    {
      idle_time_out: idleTimeoutMs,
      max_frame_size: 65_536,
      channel_max: 255,
      reconnect: false,
    } as never,
  );

  function checkLink(link: Sender | Receiver, address: string): void {
    const fault = findLinkFault(core, peer, address);
    if (fault !== undefined) link.close(amqpFault(stamps, fault));
  }

  function answer({ message, delivery, receiver }: EventContext): void {
    if (message === undefined || delivery === undefined || receiver === undefined) return;
    const address = addressOf(receiver, 'target');
    const link = parseRegistrationLink(address);
    const sender = receiver.session.find_sender(
      (each: Sender) =>
        parseRegistrationLink(addressOf(each, 'source'))?.registrationId === link?.registrationId,
    );
    const reject = (fault: ServiceFault): void => delivery.reject(amqpFault(stamps, fault));
    if (link === undefined || sender === undefined) {
      reject(faults.malformedRequest('there is no link of this session to send the answer on'));
      return;
    }
    const outcome = answerDeviceMessage(core, peer, link, toAmqpMessage(message));
    const { correlation_id: correlationId } = message;
    handOver(outcome.delivery, {
      send: () => {
        if (outcome.kind === 'fault') reject(outcome.fault);
        if (outcome.kind !== 'answer') return;
        delivery.accept();
        const answered = fromAmqpMessage(outcome.message, correlationId);
        const contentType = outcome.delivery?.contentType;
        sender.send(contentType === undefined ? answered : { ...answered, content_type: contentType });
      },
      drop: () => stream.destroy(),
      sleep,
      untilGone: () => gone.signal,
    });
  }
}

/** The address of the peer's end of a link; empty where it has none. */
function addressOf(link: Sender | Receiver, terminus: 'source' | 'target'): string {
  const { address } = (link[terminus] ?? {}) as { readonly address?: unknown };
  return typeof address === 'string' ? address : '';
}

const silentEvents = [
  'disconnected',
  'connection_close',
  'connection_error',
  'session_close',
  'session_error',
  'sender_close',
  'sender_error',
  'receiver_close',
  'receiver_error',
];
const fatalEvents = ['protocol_error', 'error'];
