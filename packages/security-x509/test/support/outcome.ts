import { isEndorseError } from '@endorse/interface';
import { expect } from 'vitest';

/** A typed error of this package, as tests look at it. */
export type TypedError = Error & { readonly code: string; readonly remedy?: string };

/** Runs what has to throw and returns the error. */
export function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return expect.fail('should throw');
}

/** Waits for what has to reject and returns the reason. */
export async function rejected(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome.status === 'rejected' ? (outcome.reason as unknown) : expect.fail('should reject');
}

/** Expects an error of this package with a code, a remedy, and nothing of a key in it. */
export function expectTyped(error: unknown, code: string): TypedError {
  expect(isEndorseError(error), String(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'X509IdentityError',
    code,
    fault: 'caller',
    retryable: code === 'ERR_X509_NOT_YET_VALID',
    remedy: expect.stringMatching(/\.$/) as unknown,
  });
  const typed = error as TypedError;
  expect(`${typed.message}${typed.stack ?? ''}${String(typed.cause)}`).not.toMatch(/PRIVATE KEY|MII|MHc/);
  return typed;
}
