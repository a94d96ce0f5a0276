import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npmCommand } from '../../../scripts/lib/toolchain.mjs';
import { actorPath } from '../run-actor.ts';

/** A registry on this machine (verdaccio): ours from its own storage, everything else from the registry npm uses. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string;
  /** Lines of an `.npmrc` that use it and may publish to it. */
  readonly npmrc: string;
}

const startTimeoutMs = 60_000;

/** Starts an empty registry and waits until it listens. */
export async function startLocalRegistry(): Promise<LocalRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-registry-'));
  const [command = 'npm', ...prefix] = npmCommand();
  const upstream = execFileSync(command, [...prefix, 'config', 'get', 'registry'], { encoding: 'utf8' });
  const child = spawn(process.execPath, [actorPath('local-registry.mjs')], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      ENDORSE_STORAGE: folder,
      ENDORSE_UPSTREAM: upstream.trim(),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const listening = once(child.stdout, 'data', { signal: AbortSignal.timeout(startTimeoutMs) });
    const died = ended.then(() => Promise.reject(new Error('the local registry ended at once')));
    const [line] = (await Promise.race([listening, died])) as [Buffer];
    const host = `127.0.0.1:${Number(line.toString())}`;
    return {
      url: `http://${host}/`,
      // Anybody may publish, but clients insist on sending something.
      npmrc: `registry=http://${host}/\n//${host}/:_authToken=anybody\n`,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
