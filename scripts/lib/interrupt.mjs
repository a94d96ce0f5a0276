/** Ending in good order when somebody asks us to. */
import { constants } from 'node:os';

/** The signals that ask a command to end. */
export const endingSignals = Object.freeze(['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * The exit code a shell gives to a process that a signal ended.
 *
 * @param {string} signal
 * @returns {number}
 */
export function exitCodeOf(signal) {
  return 128 + constants.signals[signal];
}

/**
 * Exits on the first signal, running the exit handlers, unless `isBusy` says
 * that a child in the foreground will see to it; then `exitIfInterrupted` does,
 * once the child has ended.
 *
 * @param {() => boolean} [isBusy]
 * @returns {{ exitIfInterrupted: () => void }}
 */
export function exitOnSignals(isBusy = () => false) {
  /** @type {string | undefined} */
  let received;
  const exitIfInterrupted = () => {
    if (received !== undefined) process.exit(exitCodeOf(received));
  };
  for (const signal of endingSignals) {
    process.on(signal, () => {
      received ??= signal;
      if (!isBusy()) exitIfInterrupted();
    });
  }
  return { exitIfInterrupted };
}
