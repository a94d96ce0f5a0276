/**
 * `endorse emulator` in the part of the real service: a process of its own, known to a live run by nothing but
 * `ENDORSE_LIVE_*`. No real service is reached from the tests of this repository.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { liveVariables, readLiveSettings } from './live-settings.ts';
import type { ServiceAddress } from './service-under-test.ts';

/** A running one. */
export interface ActingService extends AsyncDisposable {
  readonly address: ServiceAddress;
  /** What a live run is told. */
  readonly environment: Readonly<Record<string, string>>;
}

interface Ready {
  readonly idScope: string;
  readonly serviceConnectionString: string;
  readonly caFile: string;
  readonly endpoints: Readonly<Record<'http' | 'amqp' | 'mqtt', string>>;
}

const program = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** Starts one, with further arguments of the command. */
export async function startActingService(args: readonly string[] = []): Promise<ActingService> {
  const child = spawn(
    process.execPath,
    ['--conditions=@endorse/source', program, 'emulator', '--json', ...args],
    { env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  // Its other lines are read, too: a full pipe would stop it.
  const line = await Promise.race([once(lines, 'line'), closed.then(() => undefined)]);
  if (line === undefined) throw new Error(`endorse emulator ${args.join(' ')} ended early`);
  const ready = JSON.parse(line[0] as string) as Ready;
  const portOf = (listener: keyof Ready['endpoints']): string => new URL(ready.endpoints[listener]).port;
  const environment = {
    // This is the one thing that may stand in for a person in CI.
    CI: '',
    [liveVariables.connectionString]: ready.serviceConnectionString,
    [liveVariables.idScope]: ready.idScope,
    [liveVariables.host]: new URL(ready.endpoints.http).hostname,
    [liveVariables.ports]: `http=${portOf('http')},amqp=${portOf('amqp')},mqtt=${portOf('mqtt')}`,
    [liveVariables.caFile]: ready.caFile,
  };
  const address = readLiveSettings(environment);
  if (address === undefined) throw new Error('a live run was told nothing');
  return {
    address,
    environment,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGINT');
      await closed;
    },
  };
}
