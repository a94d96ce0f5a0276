import type { Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { RegistrationStore } from './store.ts';

/** Options of {@link watchRevocations}. */
export interface RevocationWatcherOptions {
  /** The access keys with a live session. */
  readonly sessions: () => readonly string[];
  /** Ends the sessions of a credential that is void. */
  readonly onRevoked: (accessKey: string) => void;
  /** How often the database is asked, in milliseconds, 100 to 60,000; default 1,000. */
  readonly intervalMs?: number;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Hears that the database did not answer; default nobody. */
  readonly logger?: Logger;
}

/** A running watcher; stop it with the broker. */
export interface RevocationWatcher extends AsyncDisposable {
  /** Stops asking, and resolves when the last question is answered; harmless when repeated. */
  stop(): Promise<void>;
}

/**
 * Ends sessions whose credentials were voided, by this process at once, by another one within an interval: it asks the
 * database which of the live sessions' credentials are still good. A database that is away is asked again.
 */
export function watchRevocations(
  store: RegistrationStore,
  options: RevocationWatcherOptions,
): RevocationWatcher {
  const { sessions, onRevoked, intervalMs = 1_000, clock = systemClock, logger = silentLogger } = options;
  if (!(intervalMs >= 100 && intervalMs <= 60_000)) {
    throw new InvalidArgumentError('options.intervalMs', 'must be 100 to 60,000', 'ERR_OUT_OF_RANGE');
  }
  const stopped = new AbortController();
  const forget = store.onRevoked(({ accessKey }) => onRevoked(accessKey));
  const ask = async (): Promise<void> => {
    const open = sessions();
    if (open.length === 0) return;
    for (const accessKey of await store.findRevoked(open)) onRevoked(accessKey);
  };
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleep(intervalMs, stopped.signal);
        await ask();
      } catch (error) {
        if (stopped.signal.aborted) return;
        logger.log('warn', 'revocations-unknown', {
          problem: error instanceof Error ? error.message : String(error),
        });
      }
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    forget();
    stopped.abort();
    await running;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
