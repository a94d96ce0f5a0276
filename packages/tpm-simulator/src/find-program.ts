import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { missingProgram } from './errors.ts';

/** The real path of a program: a path as it is, a bare name looked up on the `PATH`. Rejects with `ERR_SIMULATOR_MISSING`. */
export async function findProgram(name: string): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = name.includes('/') ? [resolve(name)] : folders.map((folder) => join(folder, name));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      return await realpath(candidate);
    } catch {
      continue;
    }
  }
  throw missingProgram(name, undefined);
}
