import type { RegistrationAttempt, RegistrationDecision, ResolvedOptions } from './options.ts';

/** Asks the hook, if there is one. Fails closed: a rejection, a late answer or no decision is a no. */
export async function callHook(
  options: ResolvedOptions,
  attempt: RegistrationAttempt,
): Promise<RegistrationDecision> {
  const { beforeRegistration, hookTimeoutMs, clock, logger } = options;
  if (beforeRegistration === undefined) return { allow: true };
  const deny = (reason: string): RegistrationDecision => ({ allow: false, reason });
  const finished = new AbortController();
  const expired = new AbortController();
  const late = clock.sleep(hookTimeoutMs, finished.signal).then(
    () => {
      expired.abort(new Error('the hook took too long'));
      return deny('timeout');
    },
    () => deny('timeout'),
  );
  try {
    const decision = await Promise.race([beforeRegistration(attempt, { signal: expired.signal }), late]);
    return isDecision(decision) ? decision : deny('no decision');
  } catch (error) {
    logger.log('error', 'hook-failed', { problem: error instanceof Error ? error.message : String(error) });
    return deny('failed');
  } finally {
    finished.abort();
  }
}

function isDecision(value: unknown): value is RegistrationDecision {
  return (
    typeof value === 'object' && value !== null && typeof (value as { allow?: unknown }).allow === 'boolean'
  );
}
