import type { EmulatorReady } from '../support/emulator-process.ts';
import type { InstalledProject } from '../support/projects.ts';
import type { Carrier } from '../support/carrier.ts';
import { carriers, hostOf } from '../support/carrier.ts';
import type { ClientProcess, ClientSetting } from './client-process.ts';
import { startOfficial, startOurs } from './client-process.ts';
import { startMeteredProxy } from './metered-proxy.ts';

/** What one registration puts on the wire. */
export interface WireFigures {
  readonly connections: number;
  /** TLS included, TCP and below not. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** How often the caller waits for the service, the opening of TCP connections included. */
  readonly roundTrips: number;
}

/** One way, in milliseconds: what a client computes is far below a round trip, on a busy machine as well. */
const delayMs = 100;

/** Every carrier, our client and the official one, through a proxy that is far away. */
export async function measureWire(
  setting: {
    readonly ours: InstalledProject;
    readonly official: InstalledProject;
    readonly emulator: EmulatorReady;
  },
  { rounds }: { readonly rounds: number },
): Promise<Readonly<Record<Carrier, Readonly<Record<'endorse' | 'official', WireFigures>>>>> {
  const { ours, official, emulator } = setting;
  const measure = async (carrier: Carrier) => ({
    endorse: await measureClient(carrier, emulator, rounds, (where) =>
      startOurs('endorse-carrier.mjs', ours, where),
    ),
    official: await measureClient(carrier, emulator, rounds, (where) => startOfficial(official, where)),
  });
  const entries: [Carrier, Awaited<ReturnType<typeof measure>>][] = [];
  for (const carrier of carriers) entries.push([carrier, await measure(carrier)]);
  return Object.fromEntries(entries) as Record<Carrier, Awaited<ReturnType<typeof measure>>>;
}

async function measureClient(
  carrier: Carrier,
  emulator: EmulatorReady,
  rounds: number,
  start: (where: ClientSetting) => ClientProcess,
): Promise<WireFigures> {
  const upstreamPort = Number(new URL(`https://${hostOf(carrier, emulator)}`).port);
  await using proxy = await startMeteredProxy(upstreamPort);
  await using client = start({ carrier, host: `localhost:${proxy.port}`, emulator });
  const register = () => client.register();
  // The first one loads and compiles.
  await proxy.meter(0, register);
  const passages = [];
  for (let round = 0; round < rounds; round += 1) passages.push(await proxy.meter(delayMs, register));
  // The quickest is the one that was disturbed the least.
  const { connections, sentBytes, receivedBytes, value } = passages.reduce((best, each) =>
    each.value.wallMs < best.value.wallMs ? each : best,
  );
  return {
    connections,
    sentBytes,
    receivedBytes,
    roundTrips: countRoundTrips({ wallMs: value.wallMs, delayMs, connections }),
  };
}

/** How many round trips a time across a distance is; TCP's own are added, because a proxy accepts at once. */
export function countRoundTrips(run: {
  readonly wallMs: number;
  readonly delayMs: number;
  readonly connections: number;
}): number {
  // What is less than a round trip is computing, or a last word that nobody waited for.
  return run.connections + Math.floor(run.wallMs / (2 * run.delayMs));
}
