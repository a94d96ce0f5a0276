import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatorError } from './errors.ts';

/** A simulator's own directory: its state, its sockets, its process id. */
export interface WorkDirectory {
  /** Everything is in here. */
  readonly root: string;
  /** The TPM's NV memory. */
  readonly state: string;
  /** Where the data socket goes; the control socket is beside it. */
  readonly socket: string;
  /** swtpm writes its process id here once its sockets listen. */
  readonly pidFile: string;
  /** Removes the directory; harmless when repeated. */
  remove(): Promise<void>;
}

// sun_path holds 104 bytes on macOS (108 on Linux); ours adds 28 to the base.
const longestSocketBase = 70;

/** Makes a fresh directory, short enough for unix sockets. */
export async function createWorkDirectory(): Promise<WorkDirectory> {
  // A comma would end the path in swtpm's options.
  const usable = Buffer.byteLength(tmpdir()) <= longestSocketBase && !tmpdir().includes(',');
  const base = usable ? tmpdir() : '/tmp';
  const root = await mkdtemp(join(base, 'endorse-tpm-'));
  const state = join(root, 'state');
  await mkdir(state, { mode: 0o700 });
  return {
    root,
    state,
    socket: join(root, 'tpm'),
    pidFile: join(root, 'pid'),
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Copies the NV memory of a stopped TPM. Rejects with `ERR_SIMULATOR_START` when there is none. */
export async function copyState(from: string, to: string): Promise<void> {
  const names = await stateFiles(from);
  await Promise.all(names.map((name) => copyFile(join(from, name), join(to, name))));
}

/** Forgets the NV memory of a stopped TPM. */
export async function clearState(directory: string): Promise<void> {
  const names = await readdir(directory);
  await Promise.all(names.map((name) => rm(join(directory, name), { force: true })));
}

async function stateFiles(directory: string): Promise<string[]> {
  let cause: unknown;
  try {
    // The lock file belongs to the process that holds it, everything else of the TPM is named after it.
    const names = (await readdir(directory)).filter((name) => name.startsWith('tpm2-'));
    if (names.length > 0) return names;
  } catch (error) {
    cause = error;
  }
  throw new SimulatorError('ERR_SIMULATOR_START', `there is no TPM 2.0 state in ${directory}`, {
    cause,
    remedy: 'Pass the state directory of a simulator, or one made by prepareStateTemplate().',
  });
}
