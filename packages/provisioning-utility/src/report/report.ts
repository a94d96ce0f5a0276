/** What a run came to, made from its plan and its journal. */
import type { JsonValue } from '@endorse/interface';
import type { DeviceOutcome, JournalEntry } from '../journal/journal.ts';
import { deviceOutcomes } from '../journal/journal.ts';
import type { PlanProblem, ProvisioningPlan, StepName } from '../plan/plan.ts';
import { stepNames } from '../plan/plan.ts';
import type { StepResult } from '../steps/step-outcome.ts';

/** One step of a device in a report. */
export interface ReportedStep {
  readonly step: StepName;
  readonly result: StepResult | 'failed' | 'interrupted';
  readonly detail: string;
  /** Of all attempts together. */
  readonly durationMs: number;
  /** Attempts that were begun, 1 or more. */
  readonly attempts: number;
}

/** One device in a report. */
export interface ReportedDevice {
  readonly key: string;
  readonly serial: string;
  readonly address: string;
  readonly model: string;
  readonly registrationId: string;
  readonly outcome: DeviceOutcome;
  /** Hub and device id, once assigned. */
  readonly assignedHub?: string;
  readonly deviceId?: string;
  readonly problem?: PlanProblem;
  readonly steps: readonly ReportedStep[];
  /** From the first step to the outcome, the last attempt. */
  readonly durationMs: number;
}

/** A report. The same plan and journal make the same report. */
export interface ProvisioningReport {
  readonly format: 'endorse-report';
  readonly version: 1;
  readonly runId: string;
  readonly planDigest: string;
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  /** Time of the last line; in milliseconds since 1970. */
  readonly finishedAt: number;
  /** True when the run came to its end; false when it was killed or is still going on. */
  readonly isComplete: boolean;
  /** Sorted by key. */
  readonly devices: readonly ReportedDevice[];
  /** How many ended how; adds up to the number of devices. */
  readonly totals: Readonly<Record<DeviceOutcome, number>>;
}

/**
 * Makes the report. A device the journal does not know was not started; one it has begun and not finished was
 * interrupted.
 */
export function createReport(plan: ProvisioningPlan, entries: readonly JournalEntry[]): ProvisioningReport {
  const [first] = entries;
  const byDevice = new Map<string, DeviceEntry[]>();
  for (const entry of entries) {
    if (!('device' in entry)) continue;
    const list = byDevice.get(entry.device) ?? [];
    list.push(entry);
    byDevice.set(entry.device, list);
  }
  const devices = plan.devices.map((device): ReportedDevice => {
    const own = byDevice.get(device.key) ?? [];
    const last = own.findLast((entry) => entry.event === 'device-finished');
    const begun = own.findLastIndex((entry) => entry.event === 'device-started');
    const isOpen = last === undefined || own.indexOf(last) < begun;
    const problem = isOpen ? undefined : last.problem;
    return {
      key: device.key,
      serial: device.inventory.serial,
      address: device.inventory.address,
      model: device.observed?.modelName ?? device.inventory.model ?? '',
      registrationId: device.registrationId ?? '',
      outcome: isOpen ? openOutcome(own) : last.outcome,
      ...assignment(own),
      ...(problem === undefined ? {} : { problem }),
      steps: stepNames.flatMap((step) => reportStep(step, own)),
      durationMs: begun === -1 ? 0 : (own.at(-1)?.at ?? 0) - (own[begun]?.at ?? 0),
    };
  });
  return {
    format: 'endorse-report',
    version: 1,
    runId: first?.event === 'run-started' ? first.runId : '',
    planDigest: plan.digest,
    startedAt: first?.at ?? plan.createdAt,
    finishedAt: entries.at(-1)?.at ?? plan.createdAt,
    isComplete: entries.at(-1)?.event === 'run-finished',
    devices: devices.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    totals: countOutcomes(devices),
  };
}

type DeviceEntry = Extract<JournalEntry, { readonly device: string }>;

function openOutcome(entries: readonly DeviceEntry[]): DeviceOutcome {
  return entries.length === 0 ? 'not-started' : 'interrupted';
}

function countOutcomes(devices: readonly ReportedDevice[]): Readonly<Record<DeviceOutcome, number>> {
  const counts = deviceOutcomes.map(
    (outcome) => [outcome, devices.filter((device) => device.outcome === outcome).length] as const,
  );
  return Object.fromEntries(counts) as Record<DeviceOutcome, number>;
}

function reportStep(step: StepName, entries: readonly DeviceEntry[]): readonly ReportedStep[] {
  const own = entries.filter((entry) => 'step' in entry && entry.step === step);
  const attempts = own.filter(({ event }) => event === 'step-started').length;
  if (attempts === 0) return [];
  const last = own.findLast((entry) => entry.event === 'step-finished' || entry.event === 'step-failed');
  const finished = own.filter((entry) => entry.event === 'step-finished');
  const changed = finished.find(({ result }) => result === 'changed');
  const durationMs = finished.reduce((sum, entry) => sum + entry.durationMs, 0);
  const isOpen =
    last === undefined || own.findLastIndex(({ event }) => event === 'step-started') > own.indexOf(last);
  if (isOpen) return [{ step, result: 'interrupted', detail: '', durationMs, attempts }];
  if (last.event === 'step-failed') {
    return [{ step, result: 'failed', detail: last.problem.code, durationMs, attempts }];
  }
  const { result, detail } = changed ?? last;
  return [{ step, result, detail, durationMs, attempts }];
}

function assignment(entries: readonly DeviceEntry[]): {
  readonly assignedHub?: string;
  readonly deviceId?: string;
} {
  const verified = entries.findLast((entry) => entry.event === 'step-finished' && entry.step === 'verify');
  const facts = verified?.event === 'step-finished' ? (verified.facts ?? {}) : {};
  return { ...text('assignedHub', facts['assignedHub']), ...text('deviceId', facts['deviceId']) };
}

function text<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { readonly [Key in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { readonly [Key in Name]?: string }) : {};
}
