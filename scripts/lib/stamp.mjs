/** Stamps: a step is skipped while the contents of what it depends on are those it last ran with. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** SHA-256 over names and contents of files (a missing one counts as such) and over plain facts. */
export function fingerprint(files, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`fact ${JSON.stringify(fact)}\n`);
  for (const file of files) {
    const contents = readIfThere(file);
    hash.update(contents === undefined ? `absent ${file}\n` : `file ${file} ${contents.length}\n`);
    if (contents !== undefined) hash.update(contents);
  }
  return hash.digest('hex');
}

/** True when the stamp at `path` says `value`. */
export function isStamped(path, value) {
  return readIfThere(path)?.toString('utf8') === value;
}

/** Writes a stamp; called after the step has succeeded, never before. */
export function stamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, value);
  renameSync(draft, path);
}

function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
