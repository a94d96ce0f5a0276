import type { IncomingHttpHeaders } from 'node:http';
import type { Delivery } from '../faults/faulty-call.ts';

/** A whole HTTP request. */
export interface HttpCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** What came of the body; undefined when it exceeds the server's limit. */
  readonly body: Uint8Array | undefined;
  /** DER of the client's certificates, its own, whose key it proved to have, first; absent when it sent none. */
  readonly certificates?: readonly Uint8Array[];
}

/** A whole HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  /** Names, in lower case, and values in turn; `content-length` is added. */
  readonly headers: readonly string[];
  readonly body: string;
  /** How to hand it over; absent for at once and whole. */
  readonly delivery?: Delivery;
}

/** In the place of an answer that nobody gets. */
export const noAnswer: HttpAnswer = Object.freeze({ status: 500, headers: Object.freeze([]), body: '' });

/** Turns requests into answers; must not throw. */
export interface HttpHandler {
  handle(call: HttpCall): HttpAnswer;
  /** The answer to bytes that are no HTTP request: 400, 408 (too slow) or 431 (too many headers). */
  refuseConnection(status: 400 | 408 | 431): HttpAnswer;
  /** The answer, 400, to a request for a WebSocket that nobody serves. */
  refuseUpgrade(reason: string): HttpAnswer;
}
