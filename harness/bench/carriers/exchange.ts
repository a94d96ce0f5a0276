import type { EmulatorReady } from '../support/emulator-process.ts';
import type { InstalledProject } from '../support/projects.ts';
import type { Summary } from '../support/statistics.ts';
import { medianRatio, summarize } from '../support/statistics.ts';
import { hostOf } from '../support/carrier.ts';
import type { ClientProcess, RegistrationTimes } from './client-process.ts';
import { startOfficial, startOurs } from './client-process.ts';

/** Registration over a carrier: our client, the library under it doing the same exchange, and the official client. */
export interface ExchangeFigures {
  readonly wallMs: Readonly<Record<Contestant, Summary>>;
  /** CPU time of the client. */
  readonly cpuMs: Readonly<Record<Contestant, Summary>>;
  /** Medians of the ratios of what ran next to each other, by wall time; see `floorLimit`. */
  readonly endorseToBare: number;
  /** Limit 1. */
  readonly endorseToOfficial: number;
  readonly cpuEndorseToBare: number;
  readonly cpuEndorseToOfficial: number;
}

const contestants = ['endorse', 'bare', 'official'] as const;
type Contestant = (typeof contestants)[number];

const bareActors = { amqp: 'bare-rhea.mjs', mqtt: 'bare-mqtt.mjs' } as const;

/**
 * Registers with each client in turn, one connection a registration: the machine's drift falls on all of them alike.
 * The first third is for compiling and optimising, and is not counted.
 */
export async function measureExchange(
  carrier: keyof typeof bareActors,
  setting: {
    readonly ours: InstalledProject;
    readonly official: InstalledProject;
    readonly emulator: EmulatorReady;
  },
  { rounds }: { readonly rounds: number },
): Promise<ExchangeFigures> {
  const { ours, official, emulator } = setting;
  await using resources = new AsyncDisposableStack();
  const where = { carrier, host: hostOf(carrier, emulator), emulator };
  const clients: Readonly<Record<Contestant, ClientProcess>> = {
    endorse: resources.use(startOurs('endorse-carrier.mjs', ours, where)),
    bare: resources.use(startOurs(bareActors[carrier], ours, where)),
    official: resources.use(startOfficial(official, where)),
  };
  const times: Record<Contestant, RegistrationTimes[]> = { endorse: [], bare: [], official: [] };
  const warmUps = Math.ceil(rounds / 2);
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const contestant of rotate(contestants, round + warmUps)) {
      const taken = await clients[contestant].register();
      if (round >= 0) times[contestant].push(taken);
    }
  }
  const series = (contestant: Contestant, what: keyof RegistrationTimes): number[] =>
    times[contestant].map((taken) => taken[what]);
  const summaries = (what: keyof RegistrationTimes): Record<Contestant, Summary> => ({
    endorse: summarize(series('endorse', what)),
    bare: summarize(series('bare', what)),
    official: summarize(series('official', what)),
  });
  const ratio = (peer: Contestant, what: keyof RegistrationTimes): number =>
    medianRatio(series('endorse', what), series(peer, what));
  return {
    wallMs: summaries('wallMs'),
    cpuMs: summaries('cpuMs'),
    endorseToBare: ratio('bare', 'wallMs'),
    endorseToOfficial: ratio('official', 'wallMs'),
    cpuEndorseToBare: ratio('bare', 'cpuMs'),
    cpuEndorseToOfficial: ratio('official', 'cpuMs'),
  };
}

/** Nobody is always the one that follows the same other one. */
function rotate<Item>(items: readonly Item[], by: number): readonly Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
