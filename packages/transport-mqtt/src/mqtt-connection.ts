/**
 * One MQTT connection to the service: CONNECT and the subscription to its answers, then requests, whose answers are told
 * apart by their request ids. mqtt.js does the protocol; it is given no chance to connect again by itself.
 */
import type { Duplex } from 'node:stream';
import type { RegistrationResponseMessage } from '@endorse/protocol';
import { parseRegistrationResponseTopic, registrationResponseFilter } from '@endorse/protocol';
import type { FailureContext, WaitBounds } from '@endorse/transport-socket';
import { lostError, waitFor } from '@endorse/transport-socket';
import { brokenError, refusalError, subscriptionError } from './connection-errors.ts';
import { guardStream } from './guarded-stream.ts';
import { createInboundGuard } from './inbound-guard.ts';
import type { MqttClientConstructor } from './load-client.ts';
import type { MqttClient } from './mqtt-client.ts';

/** What a connection is made from. */
export interface MqttConnectionParts {
  readonly Client: MqttClientConstructor;
  /** The bytes of TLS or of a WebSocket. */
  readonly stream: Duplex;
  readonly clientId: string;
  readonly userName: string;
  /** The token; undefined for a certificate. */
  readonly password: string | undefined;
  readonly keepAliveSeconds: number;
  /** What is being attempted now, for errors. */
  readonly context: () => FailureContext;
  /** Hears of messages that answer nothing: duplicates, retained ones, unknown request ids. */
  readonly onIgnored: (reason: string) => void;
}

/** A request: where it is published, and what tells its answer. */
export interface MqttRequest {
  readonly topic: string;
  readonly body: string;
  readonly requestId: string;
}

/** Bounds of one wait, but for what is waited for. */
export type RequestBounds = Omit<WaitBounds, 'state'>;

/** How long mqtt.js may take to say goodbye, in milliseconds. */
const closeTimeoutMs = 1_000;

/** A connection; it is of no use once {@link MqttConnection.ended} is aborted. */
export class MqttConnection {
  readonly #parts: MqttConnectionParts;
  readonly #client: MqttClient;
  readonly #ended = new AbortController();
  readonly #accepted = Promise.withResolvers<void>();
  readonly #subscribed = Promise.withResolvers<void>();
  #pending:
    | { readonly requestId: string; readonly resolve: (answer: RegistrationResponseMessage) => void }
    | undefined;

  constructor(parts: MqttConnectionParts) {
    this.#parts = parts;
    const { Client, clientId, userName, password, keepAliveSeconds } = parts;
    const stream = guardStream(parts.stream, createInboundGuard(), (error) =>
      this.fail(brokenError(error, parts.context())),
    );
    this.#client = new Client(() => stream, {
      protocolVersion: 4,
      clientId,
      username: userName,
      ...(password === undefined ? {} : { password }),
      clean: true,
      keepalive: keepAliveSeconds,
      // What is lost is lost: the registration decides whether and when to try again.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // Every wait is bounded by its request, sooner than this.
      connectTimeout: maxTimerMs,
      timerVariant: 'native',
    });
    this.#client.on('connect', () => this.#subscribe());
    this.#client.on('message', (topic, payload, packet) => this.#receive(topic, payload, packet));
    this.#client.on('error', (error: Error) =>
      this.fail(refusalError(error, parts.context()) ?? brokenError(error, parts.context())),
    );
    this.#client.on('close', () => this.fail(lostError(parts.context())));
  }

  /** Aborted, with the error, once the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Waits until requests can be made, for CONNACK and for SUBACK up to the timeout each. */
  async ready({ signals, ...bounds }: RequestBounds): Promise<void> {
    const wait = { ...bounds, signals: [...signals, this.#ended.signal] };
    await waitFor<void>({ ...wait, state: 'awaiting-connack' }, ({ resolve, reject }) => {
      this.#accepted.promise.then(resolve, reject);
    });
    await waitFor<void>({ ...wait, state: 'awaiting-suback' }, ({ resolve, reject }) => {
      this.#subscribed.promise.then(resolve, reject);
    });
  }

  /** Publishes a request and waits for its answer; one at a time. */
  async request(
    { topic, body, requestId }: MqttRequest,
    { signals, ...bounds }: RequestBounds,
  ): Promise<RegistrationResponseMessage> {
    const wait = { ...bounds, signals: [...signals, this.#ended.signal], state: 'awaiting-reply' };
    try {
      return await waitFor<RegistrationResponseMessage>(wait, ({ resolve }) => {
        this.#pending = { requestId, resolve };
        // The answer is what counts, not that the request was acknowledged.
        this.#client.publish(topic, body, { qos: 1 }, () => undefined);
      });
    } finally {
      this.#pending = undefined;
    }
  }

  /** Ends the connection with an error; the first one counts. */
  fail(error: Error): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(error);
    this.#client.end(true);
  }

  /** Says DISCONNECT; bounded, never rejects. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, closeTimeoutMs);
      this.#client.end(false, {}, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #subscribe(): void {
    this.#accepted.resolve();
    // The service has seen it; nothing here needs it any more.
    delete this.#client.options.password;
    this.#client.subscribe(registrationResponseFilter, { qos: 1 }, (error) => {
      if (error === null) this.#subscribed.resolve();
      else this.fail(subscriptionError(this.#parts.context()));
    });
  }

  #receive(text: string, payload: Uint8Array, { retain }: { readonly retain: boolean }): void {
    const { onIgnored } = this.#parts;
    if (retain) {
      onIgnored('it was retained, so it is not an answer to us');
      return;
    }
    try {
      const topic = parseRegistrationResponseTopic(text);
      if (topic === undefined) onIgnored('its topic is none of an answer');
      else if (topic.requestId !== this.#pending?.requestId) {
        onIgnored('its request id is that of no request, or of one that was answered');
      } else {
        const { resolve } = this.#pending;
        this.#pending = undefined;
        resolve({ topic, payload });
      }
    } catch (error) {
      this.fail(error as Error);
    }
  }
}

/** The longest delay a timer of Node.js can take, in milliseconds. */
const maxTimerMs = 2_147_483_647;
