import type { Clock, Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { CredentialPolicy } from '../credentials.ts';
import { deviceHistories } from '../journal/device-history.ts';
import type { Journal, JournalEntry, JournalEvent } from '../journal/journal.ts';
import type { PlannedDevice, ProvisioningPlan } from '../plan/plan.ts';
import type { ProvisioningPorts } from '../ports.ts';
import type { ProvisioningReport } from '../report/report.ts';
import { createReport } from '../report/report.ts';
import type { RunLimits } from '../run-options.ts';
import { checkLimits } from '../run-options.ts';
import { redactingPasswords } from '../support/redacting-passwords.ts';
import { Redactor } from '../support/redactor.ts';
import { runBounded } from '../support/run-bounded.ts';
import { throttled } from '../support/throttle.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import type { DeviceEnd, DeviceRunContext } from './run-device.ts';
import { outcomeOf, runDevice } from './run-device.ts';

/** What {@link applyPlan} takes. */
export interface ApplyPlanOptions {
  readonly plan: ProvisioningPlan;
  readonly journal: Journal;
  readonly ports: ProvisioningPorts;
  readonly credentials: CredentialPolicy;
  /** Further secrets to keep out of every message, such as the key of the service; default none. */
  readonly secrets?: readonly Secret[] | undefined;
  /** Bounds; the defaults suit a laptop and the public service. */
  readonly limits?: RunLimits | undefined;
  /** No further device is begun after so many have failed, 1 to 1,000,000; default: all are. */
  readonly maxFailures?: number | undefined;
  /** Asks to stop: steps that run are finished, no further one begins, sessions are closed. Default: never. */
  readonly stop?: AbortSignal | undefined;
  /** Ends everything at once; sessions are still closed, and the report still comes. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every journal entry. Default: nobody. */
  readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
}

/**
 * Carries out a plan, device by device, several at once, and resolves with the report: every device of the plan has
 * exactly one outcome.
 *
 * Every step reads before it writes. What is as it shall be is left alone, so a second run writes nothing; what is
 * neither that nor as the plan saw it is refused. With a journal of an interrupted run, devices that are done are
 * skipped, and the others are gone through again from their first step.
 *
 * Rejects with `ERR_OUT_OF_RANGE`, and with `ERR_JOURNAL_WRITE` when the journal cannot be written: then nothing was
 * written anywhere that the journal does not know of.
 */
export async function applyPlan(options: ApplyPlanOptions): Promise<ProvisioningReport> {
  const { plan, journal, ports } = options;
  const limits = checkLimits(options.limits);
  const maxFailures = checkMaxFailures(options.maxFailures);
  const entries: JournalEntry[] = [...journal.earlier];
  const broken = new AbortController();
  const record = recorder(options, ports.clock, entries, broken);
  const histories = deviceHistories(journal.earlier);
  const bucket = new TokenBucket({
    perMinute: limits.cloudCallsPerMinute,
    burst: limits.cloudBurst,
    clock: ports.clock,
  });
  const { supplied, factoryDefault } = options.credentials;
  const redactor = new Redactor([supplied?.password, factoryDefault?.password, ...(options.secrets ?? [])]);
  let failures = 0;
  const isStopping = (): boolean =>
    options.stop?.aborted === true || options.signal?.aborted === true || broken.signal.aborted;
  const context: DeviceRunContext = {
    job: plan.job,
    ports: {
      ...ports,
      enrollments: throttled(ports.enrollments, bucket),
      passwords: redactingPasswords(ports.passwords, redactor),
    },
    credentials: options.credentials,
    limits,
    redactor,
    histories,
    record,
    signal: AbortSignal.any([broken.signal, ...(options.signal === undefined ? [] : [options.signal])]),
    isStopping,
  };

  await record(
    journal.earlier.length === 0
      ? {
          event: 'run-started',
          runId: Buffer.from(ports.random.bytes(9)).toString('base64url'),
          planDigest: plan.digest,
          deviceCount: plan.devices.length,
        }
      : { event: 'run-resumed', planDigest: plan.digest },
  );
  let isStopped = false;
  await runBounded(plan.devices, limits.concurrency, async (device) => {
    const done = histories.get(device.key)?.outcome;
    if (done === 'provisioned' || done === 'unchanged') return;
    if (isStopping() || failures >= maxFailures) {
      isStopped = true;
      await finish(device, { outcome: 'not-started' });
      return;
    }
    const end = device.verdict === 'ready' ? await attempt(device) : refused(device);
    if (end.outcome === 'failed') failures += 1;
    if (end.outcome === 'interrupted') isStopped = true;
    await finish(device, end);
  });
  await record({ event: 'run-finished', isStopped });
  return createReport(plan, entries);

  async function attempt(device: PlannedDevice): Promise<DeviceEnd> {
    try {
      return await runDevice(device, context);
    } catch (error) {
      if (broken.signal.aborted) return { outcome: 'interrupted' };
      throw error;
    }
  }

  async function finish(device: PlannedDevice, end: DeviceEnd): Promise<void> {
    await record({ event: 'device-finished', device: device.key, ...end }).catch((error: unknown) => {
      // The others must be able to end; the run rejects at its last line.
      if (!broken.signal.aborted) throw error;
    });
  }
}

/** A device that its plan says must not be provisioned, with the plan's reason. */
function refused({ problem }: PlannedDevice): DeviceEnd {
  if (problem === undefined) return { outcome: 'blocked' };
  return { outcome: outcomeOf(problem.code), problem };
}

function recorder(
  { journal, onEntry }: ApplyPlanOptions,
  clock: Clock,
  entries: JournalEntry[],
  broken: AbortController,
): (event: JournalEvent) => Promise<void> {
  return async (event) => {
    const entry = { ...event, at: clock.now() } as JournalEntry;
    try {
      await journal.append(entry);
    } catch (error) {
      broken.abort(error);
      throw error;
    }
    entries.push(entry);
    onEntry?.(entry);
  };
}

function checkMaxFailures(value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (Number.isInteger(value) && value >= 1 && value <= 1_000_000) return value;
  throw new InvalidArgumentError(
    'options.maxFailures',
    'must be an integer from 1 to 1000000',
    'ERR_OUT_OF_RANGE',
  );
}
