import { isEndorseError } from '@endorse/interface';
import type { PlanProblem } from '../plan/plan.ts';
import type { Redactor } from './redactor.ts';

/** An error as plans, journals and reports keep it: code, message, what to do; never a secret. */
export function describeError(error: unknown, redactor: Redactor): PlanProblem {
  const message = error instanceof Error ? error.message : String(error);
  const remedy = isEndorseError(error) ? error.remedy : undefined;
  return {
    code: codeOf(error),
    message: redactor.text(message),
    ...(remedy === undefined ? {} : { remedy: redactor.text(remedy) }),
  };
}

function codeOf(error: unknown): string {
  if (isEndorseError(error)) return error.code;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'ERR_UNEXPECTED';
}
