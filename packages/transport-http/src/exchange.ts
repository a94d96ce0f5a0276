import { RemoteProtocolError, TimeoutError } from '@endorse/interface';
import type { HttpRequest, HttpResponse } from '@endorse/protocol';
import type { HttpDispatchController, HttpDispatchHandler, HttpDispatcher } from './dispatcher.ts';
import type { ExchangeProgress } from './exchange-errors.ts';
import { exchangeError } from './exchange-errors.ts';

/** One request, where it goes and what it is for. */
export interface ExchangeSubject {
  /** What is being attempted, for messages; holds no secret. */
  readonly attempted: string;
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly request: Omit<HttpRequest, 'body'> & { readonly body?: string | Uint8Array };
}

/** Bounds of one exchange. */
export interface ExchangeLimits {
  readonly maxBodyBytes: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
}

type Phase = 'connecting' | 'awaiting-reply' | 'receiving-body';

/**
 * Sends one request and collects its answer. Settles exactly once and leaves no timer and no listener.
 *
 * Rejects with the reason of whichever of `signals` is aborted, `ERR_TIMEOUT` with the phase in `state`,
 * `ERR_REMOTE_TOO_LARGE` as soon as the body exceeds its limit, or what {@link exchangeError} makes of undici's
 * error. After a rejection the connection is of no further use.
 */
export function exchange(
  dispatcher: HttpDispatcher,
  subject: ExchangeSubject,
  limits: ExchangeLimits,
  signals: readonly AbortSignal[],
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const { attempted, origin, request } = subject;
    let phase: Phase = 'connecting';
    let controller: HttpDispatchController | undefined;
    let failure: Error | undefined;
    let settled = false;
    let sent = false;
    let timer: NodeJS.Timeout | undefined;
    let status = 0;
    let headers: Record<string, string | undefined> = {};
    let chunks: Uint8Array[] = [];
    let byteLength = 0;

    const settle = (end: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      for (const [index, signal] of signals.entries()) {
        signal.removeEventListener('abort', listeners[index] as () => void);
      }
      end();
    };
    const fail = (reason: unknown): void => {
      settle(() => reject(reason));
      cut(reason instanceof Error ? reason : new Error('aborted'));
    };
    /** Takes the connection down; a request that has not begun is taken down when it does. */
    const cut = (reason: Error): void => {
      failure = reason;
      controller?.abort(reason);
    };
    const progress = (): ExchangeProgress => ({ attempted, origin, started: controller !== undefined, sent });
    const enter = (next: Phase, timeoutMs: number): void => {
      phase = next;
      clearTimeout(timer);
      timer = setTimeout(() => fail(timedOut(attempted, phase, timeoutMs)), timeoutMs);
    };
    const finish = (body: Uint8Array): void => settle(() => resolve({ status, headers, body }));
    const refuseBody = (): void => {
      if (status >= 400 && status !== 401) {
        // The status says all that matters, and a retry depends on it; a 401 is nothing without its key.
        finish(new Uint8Array());
        cut(new Error('the answer body is too large'));
        return;
      }
      fail(
        new RemoteProtocolError(
          'ERR_REMOTE_TOO_LARGE',
          `${attempted}: the answer body exceeds ${limits.maxBodyBytes} bytes`,
          { evidence: { path: 'body' } },
        ),
      );
    };

    const handler: HttpDispatchHandler = {
      onRequestStart(given) {
        controller = given;
        if (failure !== undefined) given.abort(failure);
        else enter('awaiting-reply', limits.headersTimeoutMs);
      },
      onRequestSent() {
        sent = true;
      },
      onRequestUpgrade(given) {
        given.abort(new Error('upgraded without being asked'));
      },
      onResponseStart(_given, statusCode, given) {
        // 100 and 103 precede the answer.
        if (settled || statusCode < 200) return;
        status = statusCode;
        headers = joinHeaders(given);
        enter('receiving-body', limits.bodyTimeoutMs);
        if (Number(headers['content-length'] ?? 0) > limits.maxBodyBytes) refuseBody();
      },
      onResponseData(_given, chunk) {
        if (settled) return;
        byteLength += chunk.byteLength;
        if (byteLength > limits.maxBodyBytes) {
          chunks = [];
          refuseBody();
          return;
        }
        chunks.push(chunk);
      },
      onResponseEnd() {
        finish(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks));
      },
      onResponseError(_given, error) {
        settle(() => reject(exchangeError(error, progress())));
      },
    };

    const listeners = signals.map((signal) => () => fail(signal.reason));
    for (const [index, signal] of signals.entries()) {
      if (signal.aborted) {
        settle(() => reject(signal.reason));
        return;
      }
      signal.addEventListener('abort', listeners[index] as () => void, { once: true });
    }
    enter('connecting', limits.connectTimeoutMs);
    const { target: path, ...rest } = request;
    try {
      dispatcher.dispatch({ ...rest, path, origin, headersTimeout: 0, bodyTimeout: 0 }, handler);
    } catch (error) {
      settle(() => reject(exchangeError(error as Error, progress())));
    }
  });
}

function timedOut(attempted: string, state: Phase, deadlineMs: number): TimeoutError {
  return new TimeoutError(`${attempted}: no progress within ${deadlineMs} ms (${state})`, {
    deadlineMs,
    state,
    // Every request of the device API may be repeated.
    retryable: true,
  });
}

function joinHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
