import type { ClientCertificate } from './attestation.ts';
import type { Secret } from './secret.ts';

/**
 * The pump port: HTTP for code that lives in a loop.
 *
 * Nothing happens outside {@link PumpTransport.doWork}: requests are queued by
 * `send`, and outcomes are delivered from inside `doWork`, never from elsewhere.
 */

/** A request of the pump port. Header and body may hold a token or a nonce: do not log them. */
export interface PumpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query, beginning with `/`. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A reply of the pump port. */
export interface PumpReply {
  /** HTTP status, 100 to 599. */
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How an open or a send ended. */
export type PumpOutcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Error };

/**
 * One connection to one host, driven by its owner: opened, used for one request at a time, closed, and opened again
 * for the next registration.
 */
export interface PumpTransport {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  /** Starts connecting; the outcome is delivered by a later {@link PumpTransport.doWork}, exactly once unless closed before. */
  open(onOpened: (outcome: PumpOutcome<undefined>) => void): void;
  /**
   * Queues one request, once opened; the outcome is delivered by a later {@link PumpTransport.doWork}, exactly once
   * unless closed before. A redirect is a reply like any other: it is never followed.
   */
  send(request: PumpRequest, onReply: (outcome: PumpOutcome<PumpReply>) => void): void;
  /** Delivers what has completed; never blocks and never throws. */
  doWork(): void;
  /** Drops the connection and everything queued; no outcome of before is delivered afterwards. Harmless when repeated. */
  close(): void;
}

/** What a {@link PumpTransport} is made with. */
export interface PumpTransportOptions {
  /** Host, optionally with a port. */
  readonly host: string;
  /** PEM of additional trust anchors. */
  readonly trustedCertificatesPem?: string;
  /** PEM of a client certificate chain and its key. */
  readonly clientCertificate?: ClientCertificate;
  /** Proxy address, `http://host:port` or `https://host:port`; may hold credentials. */
  readonly proxyUrl?: Secret;
}

/** Makes pump transports; the "transport provider" of the pump-driven client. Throws `ERR_INVALID_ARGUMENT`; connects nothing. */
export type PumpTransportProvider = (options: PumpTransportOptions) => PumpTransport;
