/**
 * What is tried again, and how long. The TPM did not execute a command it answered with one of these codes, and an
 * error response rolls no nonce, so the same bytes may go out again.
 */
import { decodeResponseCode } from '@endorse/tpm2';

/** Bounds of trying again. */
export interface TpmRetryPolicy {
  /** RETRY, YIELDED and TESTING: first pause in milliseconds, doubled each time. Default 1. */
  readonly resendDelayMs?: number | undefined;
  /** RETRY and YIELDED: how long to go on, in milliseconds. Default 2000. */
  readonly resendForMs?: number | undefined;
  /** TESTING: how long to go on, in milliseconds; a self-test takes its time. Default 10,000. */
  readonly testingForMs?: number | undefined;
  /** NV_RATE: first pause in milliseconds, doubled up to 5000; the TPM protects its memory from wear. Default 100. */
  readonly backOffDelayMs?: number | undefined;
  /** NV_RATE: how long to go on, in milliseconds. Default 30,000. */
  readonly backOffForMs?: number | undefined;
}

/** What to do about a response code. */
export type RetryDecision =
  | { readonly action: 'return' }
  | { readonly action: 'wait'; readonly delayMs: number }
  | { readonly action: 'start-up' }
  | { readonly action: 'free-memory' };

const maxBackOffMs = 5000;

/** One command's tries; asked after each response. */
export class RetryState {
  readonly #policy: TpmRetryPolicy;
  readonly #commandName: string;
  #waitedMs = 0;
  #pauses = 0;
  #startedUp = false;
  #freed = false;

  constructor(policy: TpmRetryPolicy, commandName: string) {
    this.#policy = policy;
    this.#commandName = commandName;
  }

  /** Decides about `responseCode`; total waiting stays within the policy. */
  decide(responseCode: number): RetryDecision {
    if (responseCode === 0) return stop;
    const { name, retry } = decodeResponseCode(responseCode);
    switch (retry) {
      case 'none':
      case 'wait-for-lockout':
        return stop;
      case 'resend': {
        // TESTING is SelfTest's own answer: "running in the background".
        if (name === 'TESTING' && this.#commandName === 'SelfTest') return stop;
        const limitMs =
          name === 'TESTING' ? (this.#policy.testingForMs ?? 10_000) : (this.#policy.resendForMs ?? 2000);
        return this.#pause(this.#policy.resendDelayMs ?? 1, limitMs, limitMs);
      }
      case 'back-off':
        return this.#pause(
          this.#policy.backOffDelayMs ?? 100,
          maxBackOffMs,
          this.#policy.backOffForMs ?? 30_000,
        );
      case 'free-memory':
        if (this.#freed) return stop;
        this.#freed = true;
        return { action: 'free-memory' };
      case 'start-up':
        // Startup answers INITIALIZE itself when the TPM is started already.
        if (this.#startedUp || this.#commandName === 'Startup') return stop;
        this.#startedUp = true;
        return { action: 'start-up' };
      default:
        return unreachable(retry);
    }
  }

  #pause(firstMs: number, longestMs: number, limitMs: number): RetryDecision {
    const leftMs = limitMs - this.#waitedMs;
    if (leftMs <= 0) return stop;
    const delayMs = Math.min(firstMs * 2 ** this.#pauses, longestMs, leftMs);
    this.#pauses += 1;
    this.#waitedMs += delayMs;
    return { action: 'wait', delayMs };
  }
}

const stop: RetryDecision = Object.freeze({ action: 'return' });

function unreachable(advice: never): never {
  throw new TypeError(`unknown advice ${String(advice)}`);
}
