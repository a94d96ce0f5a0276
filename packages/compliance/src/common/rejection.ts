import { isEndorseError } from '@endorse/interface';
import { expect } from 'vitest';

/** A typed error: what every rejection but an abort has to be. */
export interface TypedError extends Error {
  readonly code: string;
  readonly fault: string;
  readonly retryable: boolean;
}

/** Expects a rejection with an error of Endorse whose code matches, and returns it. */
export async function rejection(promise: Promise<unknown>, code: RegExp): Promise<TypedError> {
  const outcome = await settle(promise);
  if (outcome.status === 'fulfilled') expect.fail(`should reject with ${String(code)}, but is fulfilled`);
  const reason: unknown = outcome.reason;
  expect(isEndorseError(reason), `must be a typed error, is ${String(reason)}`).toBe(true);
  const error = reason as TypedError;
  expect(error.code, error.message).toMatch(code);
  return error;
}

/** Expects a rejection with exactly the reason of an abort. */
export async function rejectionWith(promise: Promise<unknown>, reason: unknown): Promise<void> {
  const outcome = await settle(promise);
  if (outcome.status === 'fulfilled')
    expect.fail('should reject with the reason of the abort, but is fulfilled');
  expect(outcome.reason, 'must be the reason of the signal, unwrapped').toBe(reason);
}

/** How a promise ended. */
export async function settle<Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}
