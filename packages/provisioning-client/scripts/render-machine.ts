/**
 * Prints the machine of the provisioning client as Markdown: a state diagram, the states and the transitions, straight
 * from the table that runs.
 *
 *   node --conditions=@endorse/source packages/provisioning-client/scripts/render-machine.ts
 */
import { pathToFileURL } from 'node:url';
import type { StateName, Transition } from '../src/machine/index.ts';
import { states, transitions } from '../src/machine/index.ts';
import { nameOfStatus } from '../src/results.ts';

/** The whole section, without a heading of its own; ends in a line feed. */
export function renderMachine(): string {
  return [renderDiagram(), renderStates(), renderTransitions()].join('\n\n') + '\n';
}

/** A Mermaid state diagram. What stays in a state and what fails anywhere is left to the table, or the arrows would hide the rest. */
export function renderDiagram(): string {
  const names = Object.keys(states) as StateName[];
  const arrows = new Map<string, string[]>();
  for (const { from, on, when, to } of transitions.filter((row) => !holdsEverywhere(row))) {
    for (const name of from.filter((source) => source !== to)) {
      const arrow = `${name} --> ${to}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), label(on, when?.name)]);
    }
  }
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...names.map((name) => `  state "${name}" as ${name}`),
    '  [*] --> READY',
    ...[...arrows].map(([arrow, labels]) => `  ${arrow}: ${labels.join(' or ')}`),
    '```',
  ].join('\n');
}

/** A Markdown table of the states. */
export function renderStates(): string {
  return table(
    ['State', 'What it is for'],
    Object.entries(states).map(([name, about]) => [code(name), about]),
  );
}

/** A Markdown table of the transitions, in the order in which they are tried. */
export function renderTransitions(): string {
  const rows = transitions.map((row) => [
    holdsEverywhere(row) ? 'any but `ERROR`' : row.from.map(code).join(', '),
    code(row.on),
    row.when?.name ?? '',
    code(row.to),
    [
      ...row.does.map(code),
      ...(row.status === undefined
        ? []
        : [nameOfStatus(row.status).replace('PROV_DEVICE_REG_STATUS_', 'status ')]),
    ].join(', '),
    row.sends ? 'yes' : '',
  ]);
  return table(['From', 'On', 'When', 'To', 'Does', 'Sends'], rows);
}

function holdsEverywhere({ from }: Transition): boolean {
  return from.length === Object.keys(states).length - 1;
}

function label(on: string, when: string | undefined): string {
  // Mermaid has no code spans.
  return when === undefined ? on : `${on} [${when.replaceAll('`', '')}]`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Pads the columns, so that the formatter leaves the table alone. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(renderMachine());
}
