/** Settings in three phases: what serves first, then the doors, then what cuts the connection they are made over. */
import type { DesiredGatewaySettings, GatewaySession, SettingStep } from '@endorse/thingspro-edge';
import { planSettings } from '@endorse/thingspro-edge';
import { ProvisioningError } from '../errors.ts';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/** When a setting is made. */
export type SettingPhase = 'configure' | 'close-doors' | 'move-port';

const doors: ReadonlySet<string> = new Set(['serial-console', 'ssh', 'discovery']);

/** The phase a setting belongs to. */
export function phaseOf(step: SettingStep): SettingPhase {
  if (doors.has(step.name)) return 'close-doors';
  const isCutting = step.effect === 'change' && step.cutsConnection;
  return isCutting || step.name === 'https-port' || step.name === 'https' ? 'move-port' : 'configure';
}

/**
 * Makes the settings of one phase what they shall be: reads, compares, writes, reads back.
 *
 * `planned` are the values a plan saw, by name: one that is neither that nor as it shall be is `ERR_PLAN_STALE`.
 * What a gateway does not have is reported and no failure. `ERR_WRITE_NOT_KEPT` when a setting does not stay.
 *
 * @example
 * ```js
 * import { ensureSettings } from '@endorse/provisioning-utility';
 *
 * export async function closeDoors(session) {
 *   const desired = { ssh: { enabled: false }, serialConsole: false, discovery: false };
 *   const signal = AbortSignal.timeout(60_000);
 *   return ensureSettings({ session, desired, phase: 'close-doors', signal });
 * }
 * ```
 */
export async function ensureSettings(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'getSettings' | 'writeSetting'>;
    readonly desired: DesiredGatewaySettings;
    readonly phase: SettingPhase;
    readonly planned?: Readonly<Record<string, string>> | undefined;
    /** Lets HTTPS or the only network port be turned off. Default false. */
    readonly allowLockout?: boolean | undefined;
  },
): Promise<StepOutcome> {
  const { session, desired, phase, planned, allowLockout, signal, onWrite } = options;
  const plan = async (): Promise<readonly SettingStep[]> => {
    const steps = planSettings(await session.getSettings({ signal }), desired, { allowLockout });
    return steps.filter((step) => phaseOf(step) === phase);
  };
  const steps = await plan();
  if (steps.length === 0) return { result: 'skipped', detail: 'nothing is asked for' };
  const changes = steps.filter((step) => step.effect === 'change');
  for (const { name, from, to, write } of changes) {
    const saw = planned?.[name];
    if (saw !== undefined && saw !== from) throw stale(name, saw, from);
    await onWrite?.(`${name}: ${from} to ${to}`);
    await session.writeSetting(write, { signal });
  }
  await requireKept(changes, plan);
  return describe(steps);
}

/** HTTPS or a network port that is off answers no more questions. */
async function requireKept(
  changes: readonly Extract<SettingStep, { effect: 'change' }>[],
  plan: () => Promise<readonly SettingStep[]>,
): Promise<void> {
  const isGone = changes.some(({ cutsConnection, name }) => cutsConnection && name !== 'https-port');
  if (changes.length === 0 || isGone) return;
  const still = (await plan()).find((step) => step.effect === 'change');
  if (still === undefined) return;
  throw new ProvisioningError(
    'ERR_WRITE_NOT_KEPT',
    `the gateway took ${still.name}, and it is ${still.from} again`,
    {
      remedy: 'Look at the gateway, then resume.',
    },
  );
}

function describe(steps: readonly SettingStep[]): StepOutcome {
  const changed = steps.filter((step) => step.effect === 'change').map(({ name, to }) => `${name} ${to}`);
  const missing = steps.filter(({ effect }) => effect === 'not-applicable').map(({ name }) => name);
  const facts = Object.fromEntries(steps.map(({ name, effect }) => [name, effect]));
  const note = missing.length === 0 ? '' : `; not there: ${missing.join(', ')}`;
  if (changed.length > 0) return { result: 'changed', detail: `${changed.join(', ')}${note}`, facts };
  if (missing.length === steps.length) {
    return { result: 'not-applicable', detail: `not there: ${missing.join(', ')}`, facts };
  }
  return { result: 'unchanged', detail: `as it shall be${note}`, facts };
}

function stale(name: string, saw: string, from: string): ProvisioningError {
  return new ProvisioningError(
    'ERR_PLAN_STALE',
    `${name} was ${saw} when the plan was made, and is ${from} now`,
    {
      remedy: 'Find out who else sets this gateway up, then make a new plan.',
    },
  );
}

/** Sets the gateway's clock to ours when they differ by more than `toleranceMs`: tokens and certificates need it. */
export async function ensureTime(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'getTime' | 'setTime'>;
    readonly now: () => number;
    /** In milliseconds; default 60,000. */
    readonly toleranceMs?: number | undefined;
  },
): Promise<StepOutcome> {
  const { session, now, toleranceMs = 60_000, signal, onWrite } = options;
  const offsetMs = (await session.getTime({ signal })) - now();
  const offset = `${Math.round(offsetMs / 1000)} s off`;
  if (Math.abs(offsetMs) <= toleranceMs) return { result: 'unchanged', detail: offset };
  await onWrite?.(`set the time, ${offset}`);
  await session.setTime(now(), { signal });
  return { result: 'changed', detail: `was ${offset}` };
}
