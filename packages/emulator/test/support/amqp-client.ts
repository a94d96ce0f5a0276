/** A client on bare rhea: nothing of ours but certificates and tokens goes into it. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import rhea from 'rhea';
import type { Connection, EventContext, Message, Receiver, Sender } from 'rhea';
import { WebSocket } from 'ws';

/** How a client comes. */
export interface AmqpClientOptions {
  /** `amqps://host:port`, or `wss://host:port/path`. */
  readonly url: string;
  readonly ca: string;
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** Mechanisms of rhea by name; none for no SASL layer. */
  readonly mechanisms?: Readonly<Record<string, unknown>>;
  /** Sees everything that rhea writes to a TLS connection. */
  readonly onWrite?: (chunk: Buffer) => void;
}

/** What the peer says when it does not do what it was asked. */
export interface AmqpRefusal {
  readonly condition: string | undefined;
  readonly description: string | undefined;
  readonly info?: Readonly<Record<string, unknown>>;
}

/** A connected client. */
export interface AmqpClient extends AsyncDisposable {
  readonly connection: Connection;
  /** Attaches both links to an address; rejects with an {@link AmqpRefusal}. */
  attach(address: string): Promise<AmqpLinks>;
}

/** Both links of a registration. */
export interface AmqpLinks {
  readonly sender: Sender;
  readonly receiver: Receiver;
  /** Sends a message and resolves to the answer; rejects with an {@link AmqpRefusal} when it is rejected. */
  request(message: Message): Promise<Message>;
}

/** Connects; rejects with an {@link AmqpRefusal} when it is not let in. */
export async function connectAmqp(options: AmqpClientOptions): Promise<AmqpClient> {
  const url = new URL(options.url);
  const tls = {
    ca: options.ca,
    servername: 'localhost',
    ...(options.certificate === undefined
      ? {}
      : { cert: options.certificate.certificatePem, key: options.certificate.privateKeyPem }),
  };
  const container = rhea.create_container();
  const socket =
    url.protocol === 'wss:'
      ? () => {
          const create = rhea.websocket_connect(WebSocket);
          return create(options.url, ['AMQPWSB10'], tls)();
        }
      : () => ({
          connect: (_port: unknown, _host: unknown, _options: unknown, callback: () => void): Duplex => {
            const stream = connectTls({ host: '127.0.0.1', port: Number(url.port), ...tls }, callback);
            const write = stream.write.bind(stream);
            stream.write = (chunk: Buffer) => {
              options.onWrite?.(Buffer.from(chunk));
              return write(chunk);
            };
            return stream;
          },
        });
  const connection = container.connect({
    connection_details: socket as never,
    reconnect: false,
    hostname: 'localhost',
    ...(options.mechanisms === undefined ? {} : { sasl_mechanisms: { ...options.mechanisms } }),
  } as never);
  for (const event of ['connection_close', 'session_close', 'sender_close', 'receiver_close', 'error'])
    container.on(event, () => undefined);
  container.on('connection_error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    connection.once('connection_open', () => resolve());
    connection.once('connection_error', () =>
      reject(refusalOf(connection.get_error?.() ?? connection.error)),
    );
    connection.once('disconnected', ({ error }: EventContext) => reject(refusalOf(error)));
  });
  connection.on('disconnected', () => undefined);
  return {
    connection,
    attach: async (address) => {
      const receiver = connection.open_receiver({ source: { address }, credit_window: 10 });
      await attached(receiver, 'receiver');
      const sender = connection.open_sender({ target: { address } });
      await attached(sender, 'sender');
      return { sender, receiver, request: (message) => request(sender, receiver, message) };
    },
    [Symbol.asyncDispose]: async () => {
      if (connection.is_closed()) return;
      connection.close();
      await once(connection, 'connection_close').catch(() => undefined);
    },
  };
}

/** A mechanism of a rhea client that answers challenges by a function. */
export function mechanism(
  initial: Uint8Array,
  answer: (challenge: Buffer) => Uint8Array | Promise<Uint8Array> = () => new Uint8Array(),
): unknown {
  return {
    start: (callback: (error: undefined, response: Buffer) => void) =>
      callback(undefined, Buffer.from(initial)),
    step: (challenge: Buffer, callback: (error: undefined, response: Buffer) => void) =>
      void Promise.resolve(answer(challenge)).then((response) => callback(undefined, Buffer.from(response))),
  };
}

function attached(link: Sender | Receiver, kind: 'sender' | 'receiver'): Promise<void> {
  return new Promise((resolve, reject) => {
    // A refused link is attached first and detached with the reason right after.
    link.once(`${kind}_error`, () => reject(refusalOf(link.error)));
    link.once(`${kind}_open`, () => setImmediate(() => setImmediate(resolve)));
  });
}

function request(sender: Sender, receiver: Receiver, message: Message): Promise<Message> {
  return new Promise((resolve, reject) => {
    receiver.once('message', ({ message: answer }: EventContext) => resolve(answer as Message));
    sender.once('rejected', ({ delivery }: EventContext) => {
      const state = delivery?.remote_state as { readonly error?: AmqpRefusal } | undefined;
      reject(refusalOf(state?.error));
    });
    sender.send(message);
  });
}

/** An error of rhea, whose own fields are getters, as an object to compare. */
export function refusalOf(error: unknown): AmqpRefusal & Error {
  const { condition, description, info } = (error ?? {}) as Partial<AmqpRefusal>;
  return Object.assign(new Error(`refused: ${String(condition)}`), {
    condition,
    description,
    ...(info === undefined ? {} : { info }),
  });
}
