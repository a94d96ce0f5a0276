/** One device from the first step to its outcome. Every step is written down before and after; nothing is thrown. */
import type { CredentialPolicy } from '../credentials.ts';
import { blockedCodes, conflictCodes } from '../errors.ts';
import type { DeviceHistory } from '../journal/device-history.ts';
import type { DeviceOutcome, JournalEvent } from '../journal/journal.ts';
import type { ProvisioningJob } from '../job/job.ts';
import type { PlanProblem, PlannedDevice, StepName } from '../plan/plan.ts';
import { stepNames } from '../plan/plan.ts';
import type { ProvisioningPorts } from '../ports.ts';
import type { CheckedLimits } from '../run-options.ts';
import type { StepOutcome, StepResult } from '../steps/step-outcome.ts';
import { describeError } from '../support/describe-error.ts';
import type { Redactor } from '../support/redactor.ts';
import type { RetryPolicy } from '../support/retry.ts';
import { retrying, withDeadline } from '../support/retry.ts';
import { DeviceSteps, resetTimeoutMs } from './device-steps.ts';

/** What a run gives each device. */
export interface DeviceRunContext {
  readonly job: ProvisioningJob;
  readonly ports: ProvisioningPorts;
  readonly credentials: CredentialPolicy;
  readonly limits: CheckedLimits;
  readonly redactor: Redactor;
  readonly histories: ReadonlyMap<string, DeviceHistory>;
  /** Writes an entry; rejects when it cannot, and then nothing more may be written anywhere. */
  readonly record: (event: JournalEvent) => Promise<void>;
  /** Ends what is going on, at once. */
  readonly signal: AbortSignal;
  /** True when no further step may begin. */
  readonly isStopping: () => boolean;
}

/** How a device ended. */
export interface DeviceEnd {
  readonly outcome: DeviceOutcome;
  readonly problem?: PlanProblem;
}

/** Runs one device. Rejects only when the journal cannot be written. */
export async function runDevice(device: PlannedDevice, context: DeviceRunContext): Promise<DeviceEnd> {
  const { record, histories, limits, signal } = context;
  const history = histories.get(device.key);
  await record({ event: 'device-started', device: device.key });
  const steps = new DeviceSteps({ ...context, device, history });
  try {
    const deadlineMs = limits.deviceTimeoutMs + context.job.verify.timeoutMs;
    const bounds = { ...context.ports, signal, isStopping: context.isStopping };
    return await withDeadline(
      device.inventory.serial,
      deadlineMs,
      context.ports.clock.now() + deadlineMs,
      bounds,
      (bounded) => runSteps(device, steps, history, { ...context, signal: bounded }),
    );
  } catch (error) {
    if (isJournalFailure(error)) throw error;
    if (signal.aborted) return { outcome: 'interrupted' };
    const problem = describeError(error, context.redactor);
    return { outcome: outcomeOf(problem.code), problem };
  } finally {
    await steps.close();
  }
}

async function runSteps(
  device: PlannedDevice,
  steps: DeviceSteps,
  history: DeviceHistory | undefined,
  context: DeviceRunContext,
): Promise<DeviceEnd> {
  const results: StepResult[] = [];
  for (const step of stepNames) {
    if (context.isStopping()) return { outcome: 'interrupted' };
    results.push(await runStep(device.key, step, steps, history, context));
  }
  if (results.includes('pending')) return { outcome: 'pending' };
  return { outcome: results.includes('changed') ? 'provisioned' : 'unchanged' };
}

async function runStep(
  device: string,
  step: StepName,
  steps: DeviceSteps,
  history: DeviceHistory | undefined,
  context: DeviceRunContext,
): Promise<StepResult> {
  const { record, redactor, limits, ports, signal, isStopping } = context;
  const policy = policyFor(step, limits.retry, context.job);
  const startedAt = ports.clock.now();
  const retry = { clock: ports.clock, random: ports.random, signal, isStopping };
  const outcome = await retrying(step, policy, retry, async (attempt, bounded) => {
    await record({ event: 'step-started', device, step, attempt });
    try {
      return await steps.run(step, {
        signal: bounded,
        onWrite: (what) => record({ event: 'write-started', device, step, what: redactor.text(what) }),
      });
    } catch (error) {
      if (!isJournalFailure(error) && !signal.aborted) {
        const problem = describeError(error, redactor);
        const isRepeated = attempt < policy.maxAttempts && isRetryable(error);
        await record({ event: 'step-failed', device, step, attempt, problem, isRepeated });
      }
      throw error;
    }
  });
  const told = afterInterruption(step, outcome, history);
  steps.remember(step, told.result);
  const { result, detail, facts } = told;
  await record({
    event: 'step-finished',
    device,
    step,
    result,
    detail: redactor.text(detail),
    ...(facts === undefined ? {} : { facts }),
    durationMs: ports.clock.now() - startedAt,
  });
  return history?.results.get(step) === 'changed' ? 'changed' : result;
}

/** A write that an earlier attempt began, and that turns out to be made: this run changed it. */
function afterInterruption(
  step: StepName,
  outcome: StepOutcome,
  history: DeviceHistory | undefined,
): StepOutcome {
  if (outcome.result !== 'unchanged' || history?.interrupted.has(step) !== true) return outcome;
  return { ...outcome, result: 'changed', detail: `${outcome.detail} (by the interrupted attempt)` };
}

/** Two steps wait for a device, and know for how long themselves. */
function policyFor(step: StepName, retry: RetryPolicy, { verify }: ProvisioningJob): RetryPolicy {
  const ownMs = step === 'verify' ? verify.timeoutMs : 0;
  const waitMs = step === 'reset' ? resetTimeoutMs : ownMs;
  return { ...retry, deadlineMs: retry.deadlineMs + waitMs };
}

/** What a device's error makes of it. */
export function outcomeOf(code: string): DeviceOutcome {
  if (code === 'ERR_DEVICE_INELIGIBLE') return 'skipped';
  if (conflictCodes.has(code)) return 'conflict';
  return blockedCodes.has(code) ? 'blocked' : 'failed';
}

function isJournalFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_JOURNAL_WRITE';
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === true;
}
