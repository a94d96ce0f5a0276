import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';

/** A PostgreSQL of its own, on loopback, in a directory that goes with it. */
export interface Postgresql extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Kills it, as a power loss does, and starts it again: it recovers from its log. */
  crashAndRestart(): Promise<void>;
}

const user = 'endorse';
const readyPattern = /database system is ready to accept connections/;

/** How long it may take to start, in milliseconds: recovery included, on a machine that is busy. */
const startTimeoutMs = 60_000;

/** Starts a server with `fsync` on. It refuses root, so as root it runs as a user of the system's. */
export async function startPostgresql(): Promise<Postgresql> {
  const identity = unprivilegedUser();
  const directory = mkdtempSync(join(tmpdir(), 'endorse-postgresql-'));
  if (identity !== undefined) chownSync(directory, identity.uid, identity.gid);
  const data = join(directory, 'data');
  const made = spawnSync(
    program('initdb'),
    [
      '--pgdata',
      data,
      '--username',
      user,
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--no-locale',
      '--no-sync',
    ],
    { ...identity, cwd: directory, encoding: 'utf8', timeout: startTimeoutMs },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
  const port = await freePort();
  const start = (): Promise<ChildProcess> => startServer({ data, directory, port, identity });
  let server = await start();
  return {
    port,
    url: `postgresql://${user}@127.0.0.1:${port}/postgres`,
    async crashAndRestart() {
      await stop(server, 'SIGQUIT');
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop(server, 'SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Path of a program of PostgreSQL: distributions keep those of the server out of PATH, by version. */
export function program(name: string): string {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const folders = [
    ...newestFirst.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} of PostgreSQL is not installed`);
  return found;
}

async function startServer({
  data,
  directory,
  port,
  identity,
}: {
  readonly data: string;
  readonly directory: string;
  readonly port: number;
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
}): Promise<ChildProcess> {
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    max_connections: '100',
  };
  const server = spawn(
    program('postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...identity, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error(`PostgreSQL did not start:\n${log}`)), startTimeoutMs);
    const settle = (act: () => void) => (): void => {
      clearTimeout(tooLate);
      act();
    };
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-10_000);
      if (readyPattern.test(log)) settle(resolve)();
    });
    server.once('error', (error) => settle(() => reject(error))());
    server.once(
      'exit',
      settle(() => reject(new Error(`PostgreSQL ended:\n${log}`))),
    );
  });
  return server;
}

async function stop(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill(signal);
  await ended;
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('there is no user postgres or nobody to run PostgreSQL as');
}
