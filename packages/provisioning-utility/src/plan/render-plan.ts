/** A plan for people: what is going to happen to each device, and why not to some. */
import { formatTable } from '../report/table.ts';
import type { PlannedDevice, ProvisioningPlan } from './plan.ts';

/** Formats a plan is shown in; its file is JSON. */
export const planFormats = ['table', 'details'] as const;

/** One of {@link planFormats}. */
export type PlanFormat = (typeof planFormats)[number];

/** Renders a plan; `details` names every step of every device. Ends in a line feed. */
export function renderPlan(plan: ProvisioningPlan, format: PlanFormat): string {
  const rows = plan.devices.map((device) => [
    device.inventory.serial,
    `${device.inventory.address}:${device.inventory.port}`,
    device.observed?.modelName ?? device.inventory.model ?? '',
    device.verdict,
    summaryOf(device),
    device.observed?.fingerprint.slice(0, 16) ?? '',
  ]);
  const header = ['Serial', 'Address', 'Model', 'Verdict', 'What', 'Certificate SHA-256'];
  const notes = plan.devices.flatMap(notesOf);
  const details = format === 'details' ? plan.devices.map(stepsOf) : [];
  return [
    formatTable(header, rows),
    ...(notes.length === 0 ? [] : ['\n', ...notes]),
    ...details,
    `\n${describeVerdicts(plan)}\n`,
  ].join('');
}

/** `18 ready, 2 conflict`. */
function describeVerdicts({ devices }: ProvisioningPlan): string {
  const verdicts = ['ready', 'skipped', 'conflict', 'blocked', 'failed'] as const;
  const parts = verdicts
    .map((verdict) => [devices.filter((device) => device.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0);
  return parts.length === 0
    ? 'no devices'
    : parts.map(([count, verdict]) => `${count} ${verdict}`).join(', ');
}

function summaryOf({ verdict, problem, steps }: PlannedDevice): string {
  if (verdict !== 'ready') return problem?.code ?? '';
  const writes = steps
    .filter(({ action }) => action === 'create' || action === 'update')
    .map(({ step }) => step);
  return writes.length === 0 ? 'nothing to do' : writes.join(', ');
}

/** Text of a device on one line, without control characters. */
function line(text: string): string {
  return `${text.replaceAll(/\p{C}+/gu, ' ')}\n`;
}

function notesOf({ inventory, problem, warnings }: PlannedDevice): readonly string[] {
  const told = problem === undefined ? [] : [line(`${inventory.serial}: ${problem.message}`)];
  const remedy = problem?.remedy === undefined ? [] : [line(`  ${problem.remedy}`)];
  return [...told, ...remedy, ...warnings.map((warning) => line(`${inventory.serial}: warning: ${warning}`))];
}

function stepsOf({ inventory, observed, steps }: PlannedDevice): string {
  if (steps.length === 0) return '';
  const rows = steps.map(({ step, action, reason }) =>
    line(`  ${step.padEnd(20)} ${action.padEnd(14)} ${reason}`),
  );
  const certificate = observed === undefined ? '' : line(`  certificate SHA-256 ${observed.fingerprint}`);
  return `\n${line(inventory.serial)}${certificate}${rows.join('')}`;
}
