import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** tpm2-tools in a directory of their own, on one TPM. */
export interface Tpm2Tools extends AsyncDisposable {
  /** Runs `tpm2_<tool>`; rejects with its output when it fails. */
  tool(tool: string, ...args: readonly string[]): Promise<string>;
  write(file: string, content: Uint8Array): Promise<void>;
  read(file: string): Promise<Uint8Array>;
}

/** `tcti` as the simulator gives it; without one, only tools that need no TPM work. */
export async function openTools(tcti = 'none'): Promise<Tpm2Tools> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-tpm2-tools-'));
  const environment = { ...process.env, TPM2TOOLS_TCTI: tcti };
  return {
    tool: async (tool, ...args) => {
      const options = { cwd: directory, env: environment, timeout: 30_000 };
      const { stdout } = await run(`tpm2_${tool}`, args, options);
      return stdout;
    },
    write: (file, content) => writeFile(join(directory, file), content),
    read: async (file) => new Uint8Array(await readFile(join(directory, file))),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
