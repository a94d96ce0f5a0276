/**
 * One AMQP connection, on rhea, whatever it is served for: SASL, links with their addresses, messages in, answers out.
 * Loaded with the first connection, because most emulators never see any.
 */
import type { Duplex } from 'node:stream';
import type { AmqpError } from '@endorse/protocol';
import rhea from 'rhea';
import type { Connection, EventContext, Message, Receiver, Sender } from 'rhea';
import { guardSocket } from './guarded-socket.ts';
import type { SaslServerMechanism } from './sasl-mechanism.ts';

/** What a connection is served with. */
export interface AmqpService {
  /** By name, in the order in which they are offered. With ANONYMOUS among them, SASL may be left out. */
  readonly mechanisms: Readonly<Record<string, () => SaslServerMechanism>>;
  /** Says why the peer may not have a link to an address, and what it would send or take there; undefined when it may. */
  attach(address: string): AmqpError | undefined;
  /** Takes a message in; it has to be accepted or rejected. */
  receive(received: ReceivedMessage): void;
  /** Reports what the peer did that is no AMQP, and says what it is told. */
  refuse(reason: string): AmqpError;
  /** The connection is gone. */
  close(): void;
}

/** A message of a peer. */
export interface ReceivedMessage {
  /** Of the link it came on. */
  readonly address: string;
  readonly message: Message;
  accept(): void;
  reject(error: AmqpError): void;
  /** The link of this session on which the peer takes messages from an address that fits. */
  findAnswerLink(fits: (address: string) => boolean): Pick<Sender, 'send'> | undefined;
}

/** A hold on a connection, for what does not come from the peer. */
export interface AmqpHold {
  /** Lets what is due leave, and closes. */
  end(): void;
  /** Closes AMQP with an error, and the connection after it. */
  close(error: AmqpError): void;
  /** Ends the connection at once. */
  drop(): void;
  /** Aborted when the connection is gone. */
  readonly gone: AbortSignal;
}

/** Half of how long a peer may be silent, in milliseconds; it is told to send something before. */
const idleTimeoutMs = 120_000;

/** Serves a connection until it closes; the peer has `openTimeoutMs` to get to `open`. */
export function serveRhea(
  stream: Duplex,
  openTimeoutMs: number,
  createService: (hold: AmqpHold) => AmqpService,
): void {
  const gone = new AbortController();
  let connection: Connection | undefined;
  const refuse = (reason: string): void => {
    const error = service.refuse(reason);
    if (connection?.is_open() === true) connection.close(error);
    // What rhea has to say leaves with the next tick.
    setImmediate(socket.close);
  };
  const socket = guardSocket(stream, (error) => refuse(error.message));
  const service = createService({
    end: () => void setImmediate(socket.close),
    close: (error) => {
      if (connection?.is_open() === true) connection.close(error);
      setImmediate(socket.close);
    },
    drop: () => void stream.destroy(),
    gone: gone.signal,
  });
  const opening = setTimeout(() => stream.destroy(), openTimeoutMs);
  stream.once('close', () => {
    clearTimeout(opening);
    gone.abort();
    service.close();
  });

  const container = rhea.create_container({
    id: 'endorse-emulator',
    receiver_options: { autoaccept: false, credit_window: 50 },
    sender_options: { autosettle: true },
  });
  container.sasl_server_mechanisms = service.mechanisms;
  container.on('connection_open', (context: EventContext) => {
    clearTimeout(opening);
    ({ connection } = context);
  });
  container.on('receiver_open', ({ receiver }: EventContext) => {
    if (receiver !== undefined) openLink(receiver, addressOf(receiver, 'target'));
  });
  container.on('sender_open', ({ sender }: EventContext) => {
    if (sender !== undefined) openLink(sender, addressOf(sender, 'source'));
  });
  container.on('message', ({ message, delivery, receiver }: EventContext) => {
    if (message === undefined || delivery === undefined || receiver === undefined) return;
    const { session } = receiver;
    service.receive({
      address: addressOf(receiver, 'target'),
      message,
      accept: () => delivery.accept(),
      reject: (error) => delivery.reject(error),
      findAnswerLink: (fits) => session.find_sender((each: Sender) => fits(addressOf(each, 'source'))),
    });
  });
  // Their connection ends by itself; nobody has to be told.
  for (const event of silentEvents) container.on(event, () => undefined);
  for (const event of fatalEvents) {
    container.on(event, (error: unknown) =>
      refuse(error instanceof Error ? error.message : 'AMQP was not kept to'),
    );
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

  function openLink(link: Sender | Receiver, address: string): void {
    link.set_source({ address: addressOf(link, 'source') });
    link.set_target({ address: addressOf(link, 'target') });
    const error = service.attach(address);
    if (error !== undefined) link.close(error);
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
