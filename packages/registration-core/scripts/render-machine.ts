/**
 * Prints the registration machine as Markdown: a state diagram, the states and
 * the transitions, straight from the table that runs.
 *
 *   node --conditions=@endorse/source packages/registration-core/scripts/render-machine.ts
 */
import { pathToFileURL } from 'node:url';
import type { StateName, Transition } from '../src/machine/index.ts';
import { isTerminal, runningStates, states, transitions } from '../src/machine/index.ts';

/** The whole section, without a heading of its own; ends in a line feed. */
export function renderMachine(): string {
  return [renderDiagram(), renderStates(), renderTransitions()].join('\n\n') + '\n';
}

/** A Mermaid state diagram. What holds in every state is left to the table, or the arrows would hide the rest. */
export function renderDiagram(): string {
  const names = Object.keys(states) as StateName[];
  const arrows = new Map<string, string[]>();
  for (const { from, on, when, to } of transitions.filter((row) => !holdsEverywhere(row))) {
    for (const name of from) {
      const arrow = `${identifier(name)} --> ${identifier(to)}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), label(on, when?.name)]);
    }
  }
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...names.map((name) => `  state "${name}" as ${identifier(name)}`),
    `  [*] --> ${identifier('idle')}`,
    ...[...arrows].map(([arrow, labels]) => `  ${arrow}: ${labels.join(' or ')}`),
    ...names.filter(isTerminal).map((name) => `  ${identifier(name)} --> [*]`),
    '```',
  ].join('\n');
}

/** A Markdown table of the states and their activities. */
export function renderStates(): string {
  const rows = Object.entries(states).map(([name, { about, activity }]) => [
    code(name),
    activity === undefined ? '' : code(activity),
    about,
  ]);
  return table(['State', 'Activity', 'What it is for'], rows);
}

/** A Markdown table of the transitions, in the order in which they are tried. */
export function renderTransitions(): string {
  const rows = transitions.map((row) => [
    holdsEverywhere(row) ? 'any that is not terminal' : row.from.map(code).join(', '),
    code(row.on),
    row.when?.name ?? '',
    code(row.to),
    row.emit.map(code).join(', '),
  ]);
  return table(['From', 'On', 'When', 'To', 'Also does'], rows);
}

function holdsEverywhere({ from }: Transition): boolean {
  return from.length === runningStates.length;
}

function label(on: string, when: string | undefined): string {
  return when === undefined ? on : `${on} [${when}]`;
}

/** Mermaid reads a hyphen in an identifier as part of an arrow. */
function identifier(name: string): string {
  return name.replaceAll('-', '_');
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
