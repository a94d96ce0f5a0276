import type { ClientCertificate } from './attestation.ts';

/**
 * The pump port: HTTP for code that lives in a loop.
 *
 * Nothing happens outside {@link PumpTransport.doWork}: requests are queued by
 * `send`, and outcomes are delivered from inside `doWork`, never from elsewhere.
 */

/** A request of the pump port. */
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

/** One connection to one host, driven by its owner. */
export interface PumpTransport {
  /** Version of this contract. */
  readonly specificationVersion: 'v1';
  /** Starts connecting; the outcome is delivered by a later {@link PumpTransport.doWork}, exactly once. */
  open(onOpened: (outcome: PumpOutcome<undefined>) => void): void;
  /** Queues one request; the outcome is delivered by a later {@link PumpTransport.doWork}, exactly once. */
  send(request: PumpRequest, onReply: (outcome: PumpOutcome<PumpReply>) => void): void;
  /** Delivers what has completed; never blocks and never throws. */
  doWork(): void;
  /** Drops the connection and everything queued; no outcome is delivered afterwards. */
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
  /** Proxy address, `http://host:port` or `https://host:port`. */
  readonly proxyUrl?: string;
}

/** Makes pump transports; the "transport provider" of the pump-driven client. */
export type PumpTransportProvider = (options: PumpTransportOptions) => PumpTransport;
