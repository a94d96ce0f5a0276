import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../../lib/root.mjs';

/** A folder of files for one test. */
export interface Folder extends Disposable {
  readonly path: string;
}

/** Writes files into a fresh folder; `withTools` lets the repository's tools resolve from it. */
export function makeFolder(
  files: Readonly<Record<string, string>>,
  options: { readonly withTools?: boolean } = {},
): Folder {
  const path = mkdtempSync(join(tmpdir(), 'endorse-test-'));
  if (options.withTools === true)
    symlinkSync(join(repositoryRoot, 'node_modules'), join(path, 'node_modules'));
  for (const [file, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), contents);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
