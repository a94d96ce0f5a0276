import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { missingProgram } from './errors.ts';

/** The real path of a program, looked up on the `PATH`. Rejects with `ERR_SIMULATOR_MISSING`. */
export async function findProgram(name: string): Promise<string> {
  const folders = isAbsolute(name) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    const candidate = isAbsolute(name) ? name : join(folder, name);
    try {
      await access(candidate, constants.X_OK);
      return await realpath(candidate);
    } catch {
      continue;
    }
  }
  throw missingProgram(name, undefined);
}
