import { InvalidArgumentError } from '@endorse/interface';

/** A node-style callback as we hand it to foreign code: it may call it with anything, at any time, any number of times. */
export type ForeignCallback<Values extends readonly unknown[]> = (error?: unknown, ...values: Values) => void;

/**
 * Turns one call of a callback API into a promise that settles once: with the
 * first thing that happens. What is thrown before the callback counts as its error,
 * and so does a promise that the call returns instead of, or beside, calling back;
 * later callbacks and exceptions are ignored.
 */
export function callOnce<Values extends readonly unknown[]>(
  start: (callback: ForeignCallback<Values>) => unknown,
): Promise<Values> {
  return new Promise((resolve, reject) => {
    const returned = start((error, ...values) => {
      // Official code reports success with null, undefined or nothing at all, and asks no more than `if (err)`.
      if (error) reject(error);
      else resolve(values);
    });
    if (!isThenable(returned)) return;
    returned.then(
      // An async function that calls back later resolves to nothing first.
      (value) => void (value === undefined || resolve([value] as unknown as Values)),
      reject,
    );
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Hands the end of a promise to a callback, exactly once and outside the promise:
 * an exception in the callback is the application's own and must end up where it
 * would with any other callback, not in a rejection that nobody sees.
 */
export function answer<Value>(
  promise: Promise<Value>,
  callback: (error: Error, value?: Value) => void,
): void {
  // Success is a null that the official types do not mention; see azure-types.ts.
  promise.then(
    (value) => process.nextTick(callback, null, value),
    (error: unknown) => process.nextTick(callback, error),
  );
}

/** Throws `ERR_INVALID_ARGUMENT` unless the callback is a function. */
export function requireCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new InvalidArgumentError('callback', 'must be a function');
}

/** The official SDK's double form: with a callback it is called and nothing is returned, without one there is a promise. */
export function dual<Value>(
  start: () => Promise<Value>,
  callback: ((error: Error, value?: Value) => void) | undefined,
): Promise<Value> | void {
  if (callback === undefined) return start();
  requireCallback(callback);
  answer(start(), callback);
}
