/**
 * The rules that are in force, how often each has been matched and has hit, and what that means for a request.
 *
 * Every rule that matches a request counts it. Those that hit it work together, in the order they were added;
 * of two of a kind the first counts.
 */
import type { RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { decodeFaultRule } from './decode-fault-rule.ts';
import type { FaultCarrier, FaultEffect, FaultRule } from './fault-rule.ts';

/** A request as rules see it. */
export interface FaultSubject {
  readonly carrier: FaultCarrier;
  readonly operation: string;
  /** Registration, device or enrollment group id, where the request is about one. */
  readonly device?: string | undefined;
}

/** A rule in force. */
export interface ActiveFault {
  readonly name: string;
  readonly rule: FaultRule;
  /** How many requests it has matched. */
  readonly matched: number;
  /** How many it has hit. */
  readonly hits: number;
}

/** A fault that hits a request. */
export interface FaultHit {
  readonly name: string;
  readonly fault: FaultEffect;
}

/** The fault script of an emulator. */
export interface FaultScript {
  /** The rules in force, in the order they were added. */
  list(): readonly ActiveFault[];
  /** Adds a rule and returns its name. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`, also for a name that is taken. */
  add(rule: FaultRule): string;
  /** Removes a rule; false when there is none of that name. */
  remove(name: string): boolean;
  /** Removes every rule. */
  clear(): void;
  /** Counts a request and says what hits it. */
  hit(subject: FaultSubject): readonly FaultHit[];
  /** Counts a connection and says whether its certificate is to be an expired one. */
  hitConnection(carrier: FaultCarrier): boolean;
}

/** Makes a script of rules. Throws as {@link FaultScript.add}. */
export function createFaultScript(rules: readonly FaultRule[], random: RandomSource): FaultScript {
  interface Entry {
    readonly name: string;
    readonly rule: FaultRule;
    matched: number;
    hits: number;
  }
  const entries = new Map<string, Entry>();
  let added = 0;

  const script: FaultScript = {
    list: () => [...entries.values()].map((entry) => ({ ...entry })),
    add: (given) => addRule(given, 'rule'),
    remove: (name) => entries.delete(name),
    clear: () => entries.clear(),
    hit: (subject) =>
      select(({ fault, ...rule }) => fault.kind !== 'expired-certificate' && matches(rule, subject)),
    hitConnection: (carrier) => {
      const hits = select(
        ({ fault, ...rule }) => fault.kind === 'expired-certificate' && (rule.carrier ?? carrier) === carrier,
      );
      return hits.length > 0;
    },
  };
  for (const [index, rule] of rules.entries()) addRule(rule, `options.faults[${index}]`);
  return script;

  function addRule(given: FaultRule, where: string): string {
    const rule = decodeFaultRule(given, where);
    const { name = `fault-${(added += 1)}` } = rule;
    if (entries.has(name)) throw new InvalidArgumentError(`${where}.name`, `${name} is taken`);
    entries.set(name, { name, rule, matched: 0, hits: 0 });
    return name;
  }

  function select(isMatch: (rule: FaultRule) => boolean): readonly FaultHit[] {
    const hits: FaultHit[] = [];
    for (const entry of entries.values()) {
      if (!isMatch(entry.rule)) continue;
      entry.matched += 1;
      const { after = 0, count = Infinity, probability = 1, fault } = entry.rule;
      if (entry.matched <= after || entry.hits >= count || !draw(probability)) continue;
      entry.hits += 1;
      hits.push({ name: entry.name, fault });
    }
    return hits;
  }

  function draw(probability: number): boolean {
    // Rules without chance use up no randomness, so that adding one does not change a seeded run.
    if (probability >= 1) return true;
    const [high = 0, middle = 0, low = 0] = random.bytes(3);
    return (high * 65_536 + middle * 256 + low) / 16_777_216 < probability;
  }
}

function matches(rule: Omit<FaultRule, 'fault'>, subject: FaultSubject): boolean {
  const { carrier = subject.carrier, operation = subject.operation, device } = rule;
  if (carrier !== subject.carrier || operation !== subject.operation) return false;
  if (device === undefined) return true;
  const given = subject.device?.toLowerCase();
  const wanted = device.toLowerCase();
  return wanted.endsWith('*') ? given?.startsWith(wanted.slice(0, -1)) === true : given === wanted;
}
