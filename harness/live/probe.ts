import type { JsonObject } from '@endorse/interface';
import type { ServiceUnderTest } from '../support/service/service-under-test.ts';
import type { Facts } from './facts.ts';

/** One thing the emulator assumes of the service, and how it shows. */
export interface Probe {
  /** Short, unique: what is done. */
  readonly name: string;
  /** What the emulator assumes, in a sentence that can be wrong. */
  readonly assumes: string;
  /** Does it, and says what was seen. Whatever it enrolls is removed with the service. */
  observe(service: ServiceUnderTest): Promise<Observation>;
}

/** What was seen. */
export interface Observation {
  /** Compared, one by one. */
  readonly facts: Facts;
  /** Not compared, because no two runs have the same: times and counts. */
  readonly figures?: Readonly<Record<string, string>>;
}

/** What became of a probe on one service. */
export type ProbeResult = Observation | { readonly failure: string };

/** At a time; more would be throttled, fewer wait. */
const concurrency = 6;

/** Tries every probe. One that cannot be carried out is told with what hindered it, and the others go on. */
export async function observeAll(
  probes: readonly Probe[],
  service: ServiceUnderTest,
): Promise<ReadonlyMap<string, ProbeResult>> {
  const results = new Map<string, ProbeResult>();
  const waiting = probes.values();
  const work = async (): Promise<void> => {
    for (const probe of waiting) {
      results.set(
        probe.name,
        await probe.observe(service).catch((error: unknown) => ({ failure: describeFailure(error) })),
      );
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

/** The code alone: a message may name hosts and ids. */
function describeFailure(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === 'string' ? code : error instanceof ProbeFailure ? error.message : String(name);
}

/** Why a probe cannot go on, in words that name nobody. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
}

/** A member that has to be there, and a text. */
export function textMember(object: JsonObject | undefined, name: string): string {
  const { [name]: value } = object ?? {};
  if (typeof value === 'string' && value !== '') return value;
  throw new ProbeFailure(`no ${name} in the answer`);
}
