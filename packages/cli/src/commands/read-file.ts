import { readFileSync } from 'node:fs';
import { UsageError } from '../command/usage-error.ts';

/** Reads a small file that `option` names, as UTF-8 unless told otherwise. Throws `UsageError` when it cannot be read. */
export function readOptionFile(option: string, path: string, encoding: BufferEncoding = 'utf8'): string {
  try {
    return readFileSync(path, encoding);
  } catch (cause) {
    throw new UsageError(`--${option}: cannot read ${path}`, { cause });
  }
}
