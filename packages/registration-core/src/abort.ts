import { InvalidArgumentError } from '@endorse/interface';

/**
 * Hands the abort of `signal` on to `controller`; returns what lets go of the signal.
 * Throws `ERR_INVALID_ARGUMENT` for anything but an `AbortSignal` or undefined.
 */
export function forwardAbort(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (signal === undefined) return () => undefined;
  if (!(signal instanceof AbortSignal)) throw new InvalidArgumentError('signal', 'must be an AbortSignal');
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}
