import { isEndorseError } from '@endorse/interface';
import type { ExitCode } from './command.ts';

/** The exit code an error ends with. Callers' mistakes are found before any IO, so they are usage errors. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isEndorseError(error)) return 1;
  if (error.fault === 'caller') return 2;
  return error.code === 'ERR_SERVICE_CONFLICT' || error.code === 'ERR_SERVICE_PRECONDITION' ? 3 : 1;
}
