import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone when the test ends. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  /** Writes a file and returns its path; mode 600 unless another is given. */
  write(name: string, contents: string | Uint8Array, mode?: number): string;
}

/** Makes a fresh folder. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'endorse-x509-'));
  return {
    path,
    write: (name, contents, mode = 0o600) => {
      const file = join(path, name);
      writeFileSync(file, contents);
      // Not by the option of writeFileSync, from which the umask takes bits away.
      chmodSync(file, mode);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
