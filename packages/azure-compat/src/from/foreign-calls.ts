import type { Clock } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import type { ForeignCallback } from '../callbacks.ts';
import { callOnce } from '../callbacks.ts';
import { untilAborted } from './call-queue.ts';
import { fromAzureTransportError } from './transport-error.ts';

/** How long a foreign transport may take to disconnect or cancel, in milliseconds. */
const endLimitMs = 5000;

/** The parts of a foreign transport that end things. */
export interface ForeignEnds {
  readonly cancel?: ((callback: ForeignCallback<readonly []>) => void) | undefined;
  readonly disconnect?: ((callback: ForeignCallback<readonly []>) => void) | undefined;
}

/**
 * What sessions over a foreign callback transport share: calls settle once and are
 * given up on abort, by asking the transport to cancel; closing disconnects once, in
 * bounded time, and never rejects.
 */
export class ForeignCalls {
  readonly #ends: ForeignEnds;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #onClosed: () => void;
  #closed: Promise<void> | undefined;
  #cancelling: Promise<void> | undefined;
  /** Fails the call in flight. */
  #fail: ((error: unknown) => void) | undefined;

  constructor(ends: ForeignEnds, clock: Clock, onClosed: () => void) {
    this.#ends = ends;
    this.#clock = clock;
    this.#onClosed = onClosed;
  }

  /** Makes one call. Rejects with `signal.reason`, `ERR_SESSION_CLOSED`, or the converted error of the transport. */
  async call<Values extends readonly unknown[]>(
    attempted: string,
    start: (callback: ForeignCallback<Values>) => void,
    signal: AbortSignal,
  ): Promise<Values> {
    await this.#cancelling;
    signal.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const given = Promise.race([callOnce(start), failed]).catch((error: unknown) => {
      throw fromAzureTransportError(attempted, error, this.#clock.now());
    });
    this.#fail = reject;
    try {
      return await untilAborted(untilAborted(given, this.#closing.signal), signal);
    } catch (error) {
      if (signal.aborted || this.#closing.signal.aborted) {
        given.catch(() => undefined);
        void this.#cancel();
      }
      throw error;
    } finally {
      this.#fail = undefined;
    }
  }

  /** Ends the call in flight with what the transport said beside it; without one there is nobody to tell. */
  fail(error: unknown): void {
    this.#fail?.(error);
  }

  /** Disconnects; see `RegistrationSession.close`. */
  readonly close = (): Promise<void> => {
    this.#closed ??= this.#close();
    return this.#closed;
  };

  async #close(): Promise<void> {
    const wasInFlight = this.#fail !== undefined;
    this.#closing.abort(
      new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' }),
    );
    await (wasInFlight ? this.#cancel() : this.#cancelling);
    await this.#end(this.#ends.disconnect);
    this.#onClosed();
  }

  /** Asks the transport to give its request up; the next call, and closing, wait until it has. */
  #cancel(): Promise<void> {
    this.#cancelling ??= this.#end(this.#ends.cancel).finally(() => {
      this.#cancelling = undefined;
    });
    return this.#cancelling;
  }

  /** Calls `cancel` or `disconnect`; what becomes of it does not matter, that it ends does. */
  async #end(end: ((callback: ForeignCallback<readonly []>) => void) | undefined): Promise<void> {
    if (end === undefined) return;
    const settled = new AbortController();
    const limit = this.#clock.sleep(endLimitMs, settled.signal).catch(() => undefined);
    await Promise.race([callOnce(end).catch(() => undefined), limit]);
    settled.abort();
  }
}
