import type { Clock, Logger, SessionRequestOptions } from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';

/** What the requests of a session are run with. */
export interface SessionRequestsParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** Hears of the failure of every request, before its caller does. */
  readonly onFailure: (error: unknown) => void;
}

/** The request that is running. */
export interface RunningRequest {
  /** It ends with whichever is aborted first: the signal of its caller, or that of its session. */
  readonly signals: readonly AbortSignal[];
  /** Logs `request-sent`. */
  sent(details?: Readonly<Record<string, unknown>>): void;
  /** Logs `reply-received`, and how long that took. */
  received(details?: Readonly<Record<string, unknown>>): void;
}

/** The requests of a session: one at a time, none after its end, and each told to the log. */
export class SessionRequests {
  readonly #parts: SessionRequestsParts;
  readonly #closing = new AbortController();
  #attempted = 'open the session';
  #running = false;

  constructor(parts: SessionRequestsParts) {
    this.#parts = parts;
  }

  /** What is being attempted, or was last, for messages. */
  get attempted(): string {
    return this.#attempted;
  }

  /**
   * Checks that a request can be taken, before any IO. Throws `ERR_SESSION_CLOSED` after the end, `ERR_INVALID_ARGUMENT`
   * for options without a signal, and the reason of a signal that is aborted.
   */
  check(options: SessionRequestOptions): void {
    if (this.#closing.signal.aborted) throw sessionClosed();
    if (typeof options?.signal?.throwIfAborted !== 'function') {
      throw new InvalidArgumentError('options.signal', 'must be an AbortSignal');
    }
    options.signal.throwIfAborted();
  }

  /** Runs a request. Rejects with `ERR_LOCAL_STATE` while another is running, and with what `work` rejects with. */
  async run<Value>(
    attempted: string,
    signal: AbortSignal,
    work: (request: RunningRequest) => Promise<Value>,
  ): Promise<Value> {
    if (this.#running) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', `${attempted}: another request is still running`, {
        state: 'busy',
      });
    }
    this.#running = true;
    this.#attempted = attempted;
    const { clock, logger, onFailure } = this.#parts;
    const startedAt = clock.now();
    const log = (event: string, details: Readonly<Record<string, unknown>> = {}): void =>
      logger.log('debug', event, { attempted, ...details });
    try {
      return await work({
        signals: [signal, this.#closing.signal],
        sent: (details) => log('request-sent', details),
        received: (details) => log('reply-received', { ...details, durationMs: clock.now() - startedAt }),
      });
    } catch (error) {
      onFailure(error);
      const { code } = (error ?? {}) as { readonly code?: unknown };
      log('request-failed', { code, durationMs: clock.now() - startedAt });
      throw error;
    } finally {
      this.#running = false;
    }
  }

  /** Ends the request that is running, with `ERR_SESSION_CLOSED`, and takes no other. */
  end(): void {
    this.#closing.abort(sessionClosed());
  }
}

function sessionClosed(): LocalProtocolError {
  return new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' });
}
