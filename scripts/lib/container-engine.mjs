/**
 * Step 4: a container engine, for the suites that run in containers.
 *
 * One that answers already is used. Otherwise, on Debian and Ubuntu as root, Docker is installed
 * and started for this command alone, on a socket of its own; it ends with the command, even
 * when the command is killed. Elsewhere the container suites are skipped, and the reason is said,
 * unless `ENDORSE_CONTAINERS=required` makes that a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { provideBaseImages } from './base-images.mjs';
import { StepError, announce } from './step.mjs';
import { missingTools, provideTools } from './system-tools.mjs';

const step = 'start a container engine';
const remedy = 'start Docker (or set DOCKER_HOST to an engine that answers), then repeat';
const readyTimeoutMs = 60_000;
const pollMs = 100;

/**
 * Makes an engine available to the command.
 *
 * @param {string} root The checkout.
 * @param {{ node: string, env: NodeJS.ProcessEnv }} toolchain
 * @returns {Promise<{ env: NodeJS.ProcessEnv, stop: () => Promise<void> }>} `env` is to be added to the command's.
 */
export async function provideContainerEngine(root, { node, env }) {
  if (answers(env)) {
    await provideBaseImages(root, { node, env });
    return { env: { ENDORSE_CONTAINERS: 'available' }, stop: async () => undefined };
  }
  const obstacle = findObstacle({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    canInstall: missingTools(['docker']).length === 0 || existsSync('/usr/bin/apt-get'),
  });
  if (obstacle !== undefined) {
    if (env.ENDORSE_CONTAINERS === 'required') throw new StepError(step, obstacle, remedy);
    announce(`${obstacle}: the container suites are skipped (${remedy})`);
    return { env: { ENDORSE_CONTAINERS: 'unavailable' }, stop: async () => undefined };
  }
  await provideTools(['docker', 'docker-compose', 'debootstrap'], root);
  const engine = await startEngine(join(root, '.cache/container-engine'), env);
  try {
    await provideBaseImages(root, { node, env: { ...env, ...engine.env } });
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

/** For commands whose result has to stay in the engine: throws a {@link StepError} when none answers. */
export async function requireContainerEngine(root, { node, env }) {
  if (!answers(env)) throw new StepError('find a container engine', 'none answers', remedy);
  await provideBaseImages(root, { node, env });
}

/** True when an engine answers where the environment says. */
function answers(env) {
  const run = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    env,
    stdio: 'ignore',
    timeout: 10_000,
  });
  return run.status === 0;
}

/**
 * Why we cannot start an engine, or undefined.
 *
 * @param {{ platform: string, isRoot: boolean, canInstall: boolean }} machine
 * @returns {string | undefined}
 */
export function findObstacle({ platform, isRoot, canInstall }) {
  if (platform !== 'linux') return 'no container engine answers';
  if (!isRoot) return 'no container engine answers, and starting one needs root';
  if (!canInstall) return 'no container engine answers, and Docker is not installed';
  return undefined;
}

/**
 * The shell outlives us by the time it needs to end the engine: its standard input is a pipe from
 * us, which closes whatever happens to us.
 */
const watchdog = `
dockerd "$@" >"$ENGINE_LOG" 2>&1 </dev/null &
engine=$!
while kill -0 "$engine" 2>/dev/null && IFS= read -r _; do :; done
kill -TERM "$engine" 2>/dev/null
wait "$engine"
rm -rf "$ENGINE_RUN"
`;

async function startEngine(dataFolder, env) {
  announce('starting Docker for this command');
  mkdirSync(dataFolder, { recursive: true });
  // A socket's path must be short, and the checkout's may be long.
  const run = mkdtempSync(join(tmpdir(), 'endorse-engine-'));
  const log = join(run, 'log');
  const host = `unix://${join(run, 'socket')}`;
  const daemonArguments = [
    ...['--host', host],
    ...['--data-root', dataFolder],
    ...['--exec-root', join(run, 'exec')],
    ...['--pidfile', join(run, 'pid')],
  ];
  const child = spawn('sh', ['-c', watchdog, 'engine', ...daemonArguments], {
    env: { ...env, PATH: `${env.PATH ?? ''}:/usr/sbin:/sbin`, ENGINE_LOG: log, ENGINE_RUN: run },
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C in a terminal must reach the suites first, so that they can remove their containers.
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.on('error', () => undefined);
  const engineEnv = {
    DOCKER_HOST: host,
    ENDORSE_CONTAINERS: 'available',
    // The engine ends with the command, and everything in it: nobody has to tidy up after a killed suite.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  };
  const stop = async () => {
    child.stdin.end();
    await ended;
    rmSync(run, { recursive: true, force: true });
  };
  const deadline = Date.now() + readyTimeoutMs;
  while (!answers({ ...env, ...engineEnv })) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const tail = existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : '';
      await stop();
      throw new StepError(step, `dockerd did not come up\n${tail}`, remedy);
    }
    await delay(pollMs);
  }
  return { env: engineEnv, stop };
}
