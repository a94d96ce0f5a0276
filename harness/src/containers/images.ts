import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of an image of this package, with its Dockerfile; the same from the sources and from `dist/`. */
export function imageFolder(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'images', name);
    if (existsSync(join(candidate, 'Dockerfile'))) return candidate;
    if (folder === dirname(folder)) throw new Error(`@endorse/harness came without its image ${name}`);
  }
}
