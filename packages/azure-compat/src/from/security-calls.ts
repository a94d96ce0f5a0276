import type { AttestationKind, Clock, SecurityClientOptions } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { ForeignCallback } from '../callbacks.ts';
import { callOnce } from '../callbacks.ts';
import { AzureSecurityClientError, noteOriginal } from '../errors.ts';
import { CallQueue } from './call-queue.ts';

/** What every adapter of a security client takes. */
export interface FromAzureSecurityClientOptions {
  /**
   * How long a call may take before it rejects with `ERR_TIMEOUT`; default 120,000 ms, 1 to 3,600,000. The official
   * clients lose callbacks on some errors, and the first call to a hardware TPM creates its keys.
   */
  readonly callTimeoutMs?: number | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
}

/** Calls on one foreign security client: one at a time, each settled once, errors typed by the kind of the identity. */
export class SecurityCalls {
  readonly #kind: AttestationKind;
  readonly #queue: CallQueue;

  /** Throws `ERR_OUT_OF_RANGE` for an unusable time limit. */
  constructor(
    kind: AttestationKind,
    { callTimeoutMs = 120_000, clock = systemClock }: FromAzureSecurityClientOptions,
  ) {
    if (!Number.isInteger(callTimeoutMs) || callTimeoutMs < 1 || callTimeoutMs > 3_600_000) {
      throw new InvalidArgumentError(
        'callTimeoutMs',
        'must be whole milliseconds from 1 to 3,600,000',
        'ERR_OUT_OF_RANGE',
      );
    }
    this.#kind = kind;
    this.#queue = new CallQueue(clock, callTimeoutMs);
  }

  /** Makes one call. `read` turns what came back into the result, and may throw. */
  call<Value, Result>(
    method: string,
    start: (callback: ForeignCallback<readonly [Value?]>) => unknown,
    read: (value: unknown) => Result,
    { signal }: SecurityClientOptions,
  ): Promise<Result> {
    const work = async (): Promise<Result> => {
      try {
        const [value] = await callOnce(start);
        return read(value);
      } catch (error) {
        if (error instanceof AzureSecurityClientError) throw error;
        const problem = error instanceof Error ? error.message : String(error);
        const failure = new AzureSecurityClientError(this.#kind, method, problem, { cause: error });
        throw noteOriginal(failure, error);
      }
    };
    return this.#queue.run(method, work, signal);
  }

  /** Asks for the registration id. */
  registrationId(
    start: (callback: ForeignCallback<readonly [string?]>) => unknown,
    options: SecurityClientOptions,
  ): Promise<string> {
    const method = 'getRegistrationId';
    const read = (id: unknown): string => {
      if (typeof id === 'string') return id;
      throw this.unusable(method, 'gave no registration id');
    };
    return this.call(method, start, read, options);
  }

  /** The error of a client that answered with something unusable. */
  unusable(method: string, problem: string): AzureSecurityClientError {
    return new AzureSecurityClientError(this.#kind, method, problem);
  }
}
