import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { checkOptions, defaultTimeoutMs } from './options.ts';
import type { TemplateOptions } from './options.ts';
import { findProgram } from './find-program.ts';
import { SimulatorError } from './errors.ts';
import { issueEndorsementCertificate } from './endorsement-certificate.ts';
import { persistKeys } from './persist-keys.ts';
import { bootSimulator } from './simulator.ts';
import { copyState } from './state-directory.ts';

/** A prepared TPM state, to be copied and never run itself. */
export interface StateTemplate {
  /** Holds the NV memory; pass it as `stateFrom`. */
  readonly directory: string;
  /** PEM of the authority behind the EK certificate, root first; empty without one. */
  readonly endorsementRootsPem: readonly string[];
}

// Part of the cache key: raise it when what a template holds changes.
const templateVersion = 1;

/**
 * Makes, or finds in a cache, the state of a TPM whose EK and SRK (RSA-2048, TCG templates) are persisted
 * at 0x81010001 and 0x81000001, so that tests start from a copy instead of generating keys.
 *
 * Safe across processes: each builds aside and moves the result into place in one step; the first wins.
 * The cache is a directory of the current user under the system's temporary directory.
 *
 * Rejects with `ERR_SIMULATOR_MISSING` (swtpm, or swtpm_setup for a certificate) and `ERR_SIMULATOR_START`.
 */
export async function prepareStateTemplate(options: TemplateOptions = {}): Promise<StateTemplate> {
  checkOptions(options);
  const executable = await findProgram(options.executable ?? 'swtpm');
  const cache = await openCache(options.cacheDirectory);
  const target = join(cache, await cacheKey(executable, options));
  const cached = await readTemplate(target);
  if (cached !== undefined) return cached;
  const building = await mkdtemp(join(cache, 'building-'));
  try {
    await build(building, executable, options);
    await rename(building, target).catch(async (error: unknown) => {
      // Somebody was faster; a directory that is not a template is a real failure.
      if ((await readTemplate(target)) === undefined) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  const template = await readTemplate(target);
  if (template === undefined) {
    throw new SimulatorError('ERR_SIMULATOR_START', `the state template in ${target} disappeared`);
  }
  return template;
}

async function build(directory: string, executable: string, options: TemplateOptions): Promise<void> {
  const state = join(directory, 'state');
  await mkdir(state, { mode: 0o700 });
  const manufactured = join(directory, 'manufactured');
  const certified = options.endorsementCertificate === true;
  if (certified) {
    const roots = await issueEndorsementCertificate(directory, manufactured, options.signal);
    await writeFile(join(directory, 'roots.json'), JSON.stringify(roots));
  }
  const simulator = await bootSimulator({
    stateFrom: certified ? manufactured : undefined,
    endorsementRootsPem: [],
    address: 'unix',
    executable,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    signal: options.signal,
  });
  try {
    await persistKeys(simulator.address, options.signal);
    await simulator.kill();
    await copyState(simulator.stateDirectory, state);
  } finally {
    await simulator.stop();
    await rm(manufactured, { recursive: true, force: true });
  }
}

async function readTemplate(directory: string): Promise<StateTemplate | undefined> {
  const state = join(directory, 'state');
  const present = await stat(state).catch(() => undefined);
  if (present === undefined) return undefined;
  const roots = await readFile(join(directory, 'roots.json'), 'utf8').catch(() => '[]');
  return { directory: state, endorsementRootsPem: JSON.parse(roots) as string[] };
}

/** A directory only this user can write: what is in it becomes the keys of TPMs. */
async function openCache(directory: string | undefined): Promise<string> {
  const cache = directory ?? join(tmpdir(), `endorse-tpm-templates-${userInfo().uid}`);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const found = await lstat(cache);
  if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o022) !== 0) {
    throw new SimulatorError('ERR_SIMULATOR_START', `${cache} can be written by other users`, {
      remedy: 'Remove it, or pass a cacheDirectory of your own.',
    });
  }
  return cache;
}

/** Another swtpm may write another format, so its size and age are part of the key. */
async function cacheKey(executable: string, options: TemplateOptions): Promise<string> {
  const { size, mtimeMs } = await stat(executable);
  const parts = [
    templateVersion,
    executable,
    size,
    mtimeMs,
    options.endorsementCertificate === true,
    options.variant ?? 'default',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
