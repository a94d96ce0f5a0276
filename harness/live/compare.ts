import type { Facts } from './facts.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** One fact that is not the same. */
export interface Difference {
  readonly fact: string;
  /** Undefined: there is no such thing. */
  readonly emulator: string | undefined;
  readonly service: string | undefined;
}

/** What came of a probe. */
export interface Finding {
  readonly name: string;
  readonly assumes: string;
  /** `holds`: every fact is the same. `unseen`: one side could not be observed. */
  readonly verdict: 'holds' | 'differs' | 'unseen';
  readonly agreeing: number;
  readonly differences: readonly Difference[];
  /** Why a side could not be observed. */
  readonly failures: Readonly<Partial<Record<'emulator' | 'service', string>>>;
  /** Times and counts of the service. */
  readonly figures: Readonly<Record<string, string>>;
}

/** Compares what was seen of both, probe by probe. */
export function compareServices(
  probes: readonly Probe[],
  emulator: ReadonlyMap<string, ProbeResult>,
  service: ReadonlyMap<string, ProbeResult>,
): readonly Finding[] {
  return probes.map(({ name, assumes }) => {
    const unknown = { failure: 'was not tried' };
    const ours = emulator.get(name) ?? unknown;
    const theirs = service.get(name) ?? unknown;
    if ('failure' in ours || 'failure' in theirs) {
      const failures = {
        ...('failure' in ours ? { emulator: ours.failure } : {}),
        ...('failure' in theirs ? { service: theirs.failure } : {}),
      };
      return { name, assumes, verdict: 'unseen', agreeing: 0, differences: [], failures, figures: {} };
    }
    const differences = compareFacts(ours.facts, theirs.facts);
    const agreeing =
      Object.keys(ours.facts).length - differences.filter((each) => each.emulator !== undefined).length;
    return {
      name,
      assumes,
      verdict: differences.length === 0 ? 'holds' : 'differs',
      agreeing,
      differences,
      failures: {},
      figures: theirs.figures ?? {},
    };
  });
}

function compareFacts(emulator: Facts, service: Facts): readonly Difference[] {
  const names = [...new Set([...Object.keys(emulator), ...Object.keys(service)])];
  return names
    .filter((fact) => emulator[fact] !== service[fact])
    .map((fact) => ({ fact, emulator: emulator[fact], service: service[fact] }));
}
