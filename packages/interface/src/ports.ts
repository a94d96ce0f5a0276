/**
 * Ports: how the pure packages reach time, randomness and logs.
 * System versions are in `@endorse/interface/node`, a steerable clock in
 * `@endorse/interface/virtual-clock`.
 */

/** Time and waiting. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /**
   * Resolves after `delayMs` milliseconds (0 or more), or rejects with
   * `signal.reason` as soon as the signal is aborted, leaving no timer behind.
   */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** A source of random bytes: the system's, or a seeded one in tests. */
export interface RandomSource {
  /** Returns `byteLength` fresh random bytes (0 to 65,536). */
  bytes(byteLength: number): Uint8Array;
}

/** How loud a log line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Receives structured log lines; must not throw and must not block. */
export interface Logger {
  /** One line: an event name (`operation-polled`) and fields, none of them secret. */
  log(level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A logger that drops everything; the default everywhere. */
export const silentLogger: Logger = Object.freeze({ log: () => undefined });
