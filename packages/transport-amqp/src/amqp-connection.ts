/**
 * One AMQP connection of a session, on rhea. Loaded at the first request.
 *
 * Everything that does not wait for an answer is sent at once: after SASL, `open`, `begin` and both `attach` go out
 * together. Whatever ends the connection, from a detached link to a lost socket, aborts `ended` with the reason, and
 * with it every wait.
 */
import type { Duplex } from 'node:stream';
import { RemoteProtocolError } from '@endorse/interface';
import type { AmqpMessage } from '@endorse/protocol';
import { amqpErrorToServiceError, amqpLinkProperties } from '@endorse/protocol';
import type { WaitBounds, WaitOutcome } from '@endorse/transport-socket';
import { lostError, waitFor } from '@endorse/transport-socket';
import rhea from 'rhea';
import type { Connection, Delivery, EventContext, Receiver, Sender } from 'rhea';
import type { AmqpFailureContext } from './connection-errors.ts';
import { closedError, saslError, violationError } from './connection-errors.ts';
import { guardSocket } from './guarded-socket.ts';
import { fromRheaError, fromRheaMessage, toRheaMessage } from './rhea-messages.ts';
import type { NamedMechanism } from './sasl-mechanism.ts';

/** What a connection is made from. */
export interface AmqpConnectionParts {
  /** The bytes: TLS, or a WebSocket on it. */
  readonly stream: Duplex;
  /** Host name or IP address, for `open`. */
  readonly host: string;
  /** Address of both links. */
  readonly linkAddress: string;
  readonly apiVersion: string;
  readonly clientVersion: string;
  /** Undefined for no SASL layer. */
  readonly mechanism: NamedMechanism | undefined;
  /** Says where and when a failure happened. */
  readonly context: () => AmqpFailureContext;
}

/** Bounds of a wait on a connection. */
export type RequestBounds = Omit<WaitBounds, 'state'>;

/** How long the service may take to say goodbye. */
const closeTimeoutMs = 500;

/** Answers that may come without being asked for again; one is enough, and a peer may send some twice. */
const receiverCredit = 10;

/** A connection with both links of a registration. */
export class AmqpConnection {
  readonly #parts: AmqpConnectionParts;
  readonly #ended = new AbortController();
  readonly #connection: Connection;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #pending: { readonly correlationId: string; readonly outcome: WaitOutcome<AmqpMessage> } | undefined;

  /** Begins with the handshake at once. */
  constructor(parts: AmqpConnectionParts) {
    this.#parts = parts;
    const { host, linkAddress, apiVersion, clientVersion, mechanism, stream } = parts;
    const socket = guardSocket(stream, {
      onViolation: (error) => this.fail(violationError(error, parts.context())),
      onClose: (cause) => this.fail(lostError(parts.context(), cause)),
    });
    // Names come from the peer and must not be found anywhere else but here.
    const mechanisms: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    if (mechanism !== undefined) mechanisms[mechanism.name] = mechanism.mechanism;
    this.#connection = rhea.create_container().create_connection({
      connection_details: () => ({
        connect: (_port: unknown, _host: unknown, _options: unknown, onConnected: () => void) => {
          process.nextTick(onConnected);
          return socket;
        },
        host,
        port: 0,
      }),
      hostname: host,
      max_frame_size: 65_536,
      channel_max: 0,
      reconnect: false,
      ...(mechanism === undefined ? {} : { sasl_mechanisms: mechanisms }),
    } as never);
    this.#listen();
    this.#connection.connect();
    const properties = {
      [amqpLinkProperties.apiVersion]: apiVersion,
      [amqpLinkProperties.clientVersion]: clientVersion,
    };
    this.#receiver = this.#connection.open_receiver({
      source: { address: linkAddress },
      properties,
      credit_window: receiverCredit,
    });
    this.#receiver.on('message', (context: EventContext) => this.#take(context));
    this.#sender = this.#connection.open_sender({ target: { address: linkAddress }, properties });
    for (const event of ['rejected', 'released', 'modified']) {
      this.#sender.on(event, ({ delivery }: EventContext) => this.#refuse(delivery));
    }
  }

  /** Aborted with the reason when the connection is of no further use. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Ends the connection with a reason; what comes first counts. The stream is its owner's to destroy. */
  fail(reason: Error): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
  }

  /** Waits for the service to let us in and to grant credit. */
  async ready(bounds: RequestBounds): Promise<void> {
    if (!this.#connection.is_open()) {
      await this.#wait<void>({ ...bounds, state: 'authenticating' }, ({ resolve }) => {
        this.#connection.once('connection_open', () => resolve());
      });
    }
    if (this.#sender.sendable()) return;
    await this.#wait<void>({ ...bounds, state: 'attaching' }, ({ resolve }) => {
      this.#sender.once('sendable', () => resolve());
    });
  }

  /** Sends a request and resolves to its answer; one at a time. */
  async request(message: AmqpMessage, correlationId: string, bounds: RequestBounds): Promise<AmqpMessage> {
    try {
      return await this.#wait<AmqpMessage>({ ...bounds, state: 'awaiting-reply' }, (outcome) => {
        this.#pending = { correlationId, outcome };
        this.#sender.send(toRheaMessage(message, correlationId));
      });
    } finally {
      this.#pending = undefined;
    }
  }

  /** Says goodbye, and waits a moment for the answer; never rejects. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted || !this.#connection.is_open()) return;
    const bounds = { timeoutMs: closeTimeoutMs, attempted: 'close', state: 'closing' };
    await this.#wait<void>({ ...bounds, signals: [] }, ({ resolve }) => {
      this.#connection.once('connection_close', () => resolve());
      this.#connection.close();
    }).catch(() => undefined);
  }

  #wait<Value>(bounds: WaitBounds, start: (outcome: WaitOutcome<Value>) => void): Promise<Value> {
    return waitFor({ ...bounds, signals: [...bounds.signals, this.#ended.signal] }, start);
  }

  #listen(): void {
    const { context } = this.#parts;
    const connection = this.#connection;
    connection.on('connection_error', () => {
      const told = fromRheaError(connection.error);
      const text = connection.get_error?.()?.message ?? '';
      this.fail(saslError(text, context()) ?? closedError('connection', told, context()));
    });
    connection.on('connection_close', () => this.fail(closedError('connection', undefined, context())));
    for (const event of ['session_error', 'session_close']) {
      connection.on(event, ({ session }: EventContext) =>
        this.fail(closedError('session', fromRheaError(session?.error), context())),
      );
    }
    for (const event of ['sender_error', 'sender_close', 'receiver_error', 'receiver_close']) {
      connection.on(event, ({ sender, receiver }: EventContext) =>
        this.fail(closedError('link', fromRheaError((sender ?? receiver)?.error), context())),
      );
    }
    for (const event of ['protocol_error', 'error']) {
      connection.on(event, (error: unknown) => this.fail(violationError(error, context())));
    }
    connection.on('disconnected', () => this.fail(lostError(context())));
  }

  #take({ message }: EventContext): void {
    if (this.#pending === undefined || message === undefined) return;
    const { correlationId, outcome } = this.#pending;
    if (message.correlation_id === correlationId) {
      outcome.resolve(fromRheaMessage(message));
      return;
    }
    // Something else's answer is nothing to us; one that does not say whose it is could be ours.
    if (message.correlation_id !== undefined && message.correlation_id !== null) return;
    outcome.reject(
      new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', 'the answer has no correlation id', {
        evidence: { path: 'correlation-id' },
      }),
    );
  }

  #refuse(delivery: Delivery | undefined): void {
    const { error } = (delivery?.remote_state ?? {}) as { readonly error?: unknown };
    const told = fromRheaError(error);
    const { attempted } = this.#parts.context();
    this.#pending?.outcome.reject(
      told === undefined
        ? new RemoteProtocolError(
            'ERR_REMOTE_UNEXPECTED',
            `${attempted}: the service did not take the request`,
            {
              evidence: { path: 'disposition' },
              retryable: true,
            },
          )
        : amqpErrorToServiceError(told, this.#parts.context()),
    );
  }
}
