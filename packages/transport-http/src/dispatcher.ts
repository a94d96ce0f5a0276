/**
 * The part of undici that is used, as structural types: an application may bring a
 * `Dispatcher` of its own copy of undici, and our declarations need no types of it.
 */

/** One request, as undici's `dispatch` takes it. */
export interface HttpDispatchOptions {
  /** Where to: `https://host[:port]`. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** HTTP method. */
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Header fields, lower-case names; may hold a token. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, as text or in UTF-8; absent without a body. */
  readonly body?: string | Uint8Array;
  /** Always 0: the transport keeps its own, exact time. */
  readonly headersTimeout: number;
  /** Always 0: the transport keeps its own, exact time. */
  readonly bodyTimeout: number;
}

/** Handle on a request that was sent. */
export interface HttpDispatchController {
  /** Destroys the request's connection. */
  abort(reason: Error): void;
}

/** What the dispatcher reports about one request. */
export interface HttpDispatchHandler {
  /** The request is about to be written to a connection. */
  onRequestStart(controller: HttpDispatchController): void;
  /** The whole request was handed to the connection. */
  onRequestSent(): void;
  /** The peer wants another protocol; never accepted. */
  onRequestUpgrade(controller: HttpDispatchController): void;
  /** An answer header arrived, also an informational one. */
  onResponseStart(
    controller: HttpDispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void;
  /** A piece of the answer body arrived. */
  onResponseData(controller: HttpDispatchController, chunk: Uint8Array): void;
  /** The answer is complete. */
  onResponseEnd(): void;
  /** The request failed; nothing follows. */
  onResponseError(controller: HttpDispatchController | null, error: Error): void;
}

/** Anything that sends requests as an undici `Dispatcher` does: an `Agent`, a `Pool`, a `MockAgent`, a composed one. */
export interface HttpDispatcher {
  /** Sends one request; outcomes go to the handler. */
  dispatch(options: HttpDispatchOptions, handler: HttpDispatchHandler): boolean;
}

/** A dispatcher that one session owns and destroys. */
export interface OwnedHttpDispatcher extends HttpDispatcher {
  /** Closes every connection at once. */
  destroy(): Promise<void>;
}
