import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const readme = fileURLToPath(new URL('../../README.md', import.meta.url));

/** Replaces what stands between the markers of a section in README.md. Rejects when they are missing. */
export async function updateReadme(section: 'bench' | 'bench-carriers', table: string): Promise<void> {
  const begin = `<!-- begin: ${section} -->`;
  const end = `<!-- end: ${section} -->`;
  const text = await readFile(readme, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has no section between ${begin} and ${end}`);
  await writeFile(readme, `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`);
}
