import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const readme = fileURLToPath(new URL('../../README.md', import.meta.url));
const begin = '<!-- begin: bench -->';
const end = '<!-- end: bench -->';

/** Replaces what stands between the bench markers in README.md. Rejects when they are missing. */
export async function updateReadme(table: string): Promise<void> {
  const text = await readFile(readme, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has no section between ${begin} and ${end}`);
  await writeFile(readme, `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`);
}
