import type { Clock, Logger, RegistrationSession } from '@endorse/interface';

/** How long a session may take to close before the run goes on without it, in milliseconds. */
const closeLimitMs = 5000;

/** Holds the one session of a run and is the only one who closes it. */
export class SessionHolder {
  #session: RegistrationSession | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The open session; undefined before the first and after the last. */
  get session(): RegistrationSession | undefined {
    return this.#session;
  }

  /** Closes the session that is open, if any, and opens another. Rejects with what `openSession` throws. */
  async open(openSession: () => RegistrationSession): Promise<void> {
    await this.close();
    this.#session = openSession();
  }

  /** Closes the session; at most 5 s, never rejects, harmless when there is none. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const closed = new AbortController();
    // A contract says that close() is bounded and never rejects; a device must not hang on a part that breaks it.
    const limit = this.#clock.sleep(closeLimitMs, closed.signal).then(
      () => this.#logger.log('warn', 'session-close-timed-out', { limitMs: closeLimitMs }),
      () => undefined,
    );
    const close = (async () => session.close())().catch((error: unknown) => {
      this.#logger.log('warn', 'session-close-failed', {
        error: error instanceof Error ? error.message : 'unknown',
      });
    });
    await Promise.race([close, limit]);
    closed.abort();
  }
}
