/**
 * The part of undici that is used, as structural types: an application may bring a
 * `Dispatcher` of its own copy of undici, and our declarations need no types of it.
 */

/** One request, as undici's `dispatch` takes it. */
export interface HttpDispatchOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
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
  onRequestStart(controller: HttpDispatchController): void;
  onRequestSent(): void;
  onRequestUpgrade(controller: HttpDispatchController): void;
  onResponseStart(
    controller: HttpDispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void;
  onResponseData(controller: HttpDispatchController, chunk: Uint8Array): void;
  onResponseEnd(): void;
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
