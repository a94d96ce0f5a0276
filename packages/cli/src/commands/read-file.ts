import { readFileSync } from 'node:fs';
import { UsageError } from '../command/usage-error.ts';

/** Reads a small text file that `option` names. Throws `UsageError` when it cannot be read. */
export function readOptionFile(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`--${option}: cannot read ${path}`, { cause });
  }
}
