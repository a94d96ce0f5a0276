import { isEndorseError } from '@endorse/interface';
import type { Finding } from './finding.ts';

/** The finding that an error amounts to: its message, code and remedy. */
export function errorFinding(check: string, error: unknown): Finding {
  if (!isEndorseError(error)) {
    const message = error instanceof Error ? error.message : 'failed for an unknown reason';
    return { check, level: 'error', message, remedy: 'This is a defect of the program: please report it.' };
  }
  const remedy = 'remedy' in error ? error.remedy : undefined;
  return {
    check,
    level: 'error',
    code: error.code,
    message: error.message,
    remedy: remedy ?? 'Look up the code in the README of @endorse/security-tpm.',
  };
}
