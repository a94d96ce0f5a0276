/** Reports as a table, JSON, JUnit, CSV and Markdown: the same report always renders to the same text. */
import type { DeviceOutcome } from '../journal/journal.ts';
import { deviceOutcomes } from '../journal/journal.ts';
import { formatCsv } from '../support/csv.ts';
import { formatTable } from './table.ts';
import type { ProvisioningReport, ReportedDevice } from './report.ts';

/** Formats a report is rendered in. */
export const reportFormats = ['table', 'json', 'junit', 'csv', 'markdown'] as const;

/** One of {@link reportFormats}. */
export type ReportFormat = (typeof reportFormats)[number];

/** Renders a report; ends in a line feed. */
export function renderReport(report: ProvisioningReport, format: ReportFormat): string {
  switch (format) {
    case 'table':
      return renderTable(report);
    case 'json':
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case 'junit':
      return renderJunit(report);
    case 'csv':
      return renderCsv(report);
    case 'markdown':
      return renderMarkdown(report);
    default:
      return format satisfies never;
  }
}

/** `18 provisioned, 1 conflict, 1 failed`, of what there is. */
export function describeTotals(totals: Readonly<Record<DeviceOutcome, number>>): string {
  const parts = deviceOutcomes
    .filter((outcome) => totals[outcome] > 0)
    .map((outcome) => `${totals[outcome]} ${outcome}`);
  return parts.length === 0 ? 'no devices' : parts.join(', ');
}

function renderTable(report: ProvisioningReport): string {
  const rows = report.devices.map((device) => [
    device.serial,
    device.address,
    device.outcome,
    device.problem?.code ?? device.assignedHub ?? '',
    seconds(device.durationMs),
  ]);
  const problems = report.devices.flatMap(({ serial, problem }) =>
    problem === undefined
      ? []
      : [`${serial}: ${problem.message}\n${problem.remedy === undefined ? '' : `  ${problem.remedy}\n`}`],
  );
  return [
    formatTable(['Serial', 'Address', 'Outcome', 'Hub or problem', 'Time'], rows),
    problems.length === 0 ? '' : `\n${problems.join('')}`,
    `\n${describeTotals(report.totals)}${report.isComplete ? '' : '; the run is not complete'}\n`,
  ].join('');
}

const csvHeader = [
  'serial',
  'address',
  'model',
  'registrationId',
  'outcome',
  'assignedHub',
  'deviceId',
  'code',
  'message',
  'remedy',
  'durationMs',
];

function renderCsv({ devices }: ProvisioningReport): string {
  return formatCsv(
    csvHeader,
    devices.map((device) => [
      device.serial,
      device.address,
      device.model,
      device.registrationId,
      device.outcome,
      device.assignedHub,
      device.deviceId,
      device.problem?.code,
      device.problem?.message,
      device.problem?.remedy,
      device.durationMs,
    ]),
  );
}

function renderMarkdown(report: ProvisioningReport): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |\n`;
  return [
    `# Provisioning run ${report.runId}\n\n`,
    `${new Date(report.startedAt).toISOString()} to ${new Date(report.finishedAt).toISOString()}: `,
    `${describeTotals(report.totals)}${report.isComplete ? '' : '; not complete'}.\n\n`,
    row(['Serial', 'Address', 'Model', 'Outcome', 'Hub', 'Device id', 'Problem', 'What to do']),
    row(['---', '---', '---', '---', '---', '---', '---', '---']),
    ...report.devices.map((device) =>
      row([
        device.serial,
        device.address,
        device.model,
        device.outcome,
        device.assignedHub ?? '',
        device.deviceId ?? '',
        device.problem === undefined ? '' : `${device.problem.code}: ${device.problem.message}`,
        device.problem?.remedy ?? '',
      ]),
    ),
  ].join('');
}

/** Text of a device must not become markup: a cell is one line, with everything escaped that means something. */
function markdownCell(text: string): string {
  if (text === '---') return text;
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]()#+!|<>~]/g, (sign) => `\\${sign}`);
}

function renderJunit(report: ProvisioningReport): string {
  const failed = report.devices.filter(isFailure).length;
  const skipped = report.devices.filter(isSkipped).length;
  const time = ((report.finishedAt - report.startedAt) / 1000).toFixed(3);
  const counts = `tests="${report.devices.length}" failures="${failed}" skipped="${skipped}" time="${time}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuites ${counts}>\n`,
    `  <testsuite name="provisioning ${xml(report.runId)}" timestamp="${new Date(report.startedAt).toISOString()}" ${counts}>\n`,
    ...report.devices.map(junitCase),
    '  </testsuite>\n</testsuites>\n',
  ].join('');
}

function junitCase(device: ReportedDevice): string {
  const { serial, model, outcome, problem, durationMs } = device;
  const head = `    <testcase classname="${xml(model || 'gateway')}" name="${xml(serial)}" time="${(durationMs / 1000).toFixed(3)}"`;
  if (isFailure(device)) {
    const message = problem?.message ?? outcome;
    const text = [problem?.message, problem?.remedy].filter((line) => line !== undefined).join('\n');
    return `${head}>\n      <failure type="${xml(problem?.code ?? outcome)}" message="${xml(message)}">${xml(text)}</failure>\n    </testcase>\n`;
  }
  if (isSkipped(device)) return `${head}>\n      <skipped message="${xml(outcome)}"/>\n    </testcase>\n`;
  return `${head}/>\n`;
}

function isFailure({ outcome }: ReportedDevice): boolean {
  return outcome === 'failed' || outcome === 'conflict' || outcome === 'blocked';
}

function isSkipped({ outcome }: ReportedDevice): boolean {
  return (
    outcome === 'skipped' || outcome === 'pending' || outcome === 'interrupted' || outcome === 'not-started'
  );
}

/** Escapes markup, and leaves out what XML 1.0 cannot hold. */
function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
