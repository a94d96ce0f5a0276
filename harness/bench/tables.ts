/** Markdown tables and the numbers in them. */
import type { Headline } from './bench.ts';

/** Ours beside a peer's, with the ratio that counts and its limit. */
export function headlineTable(lines: readonly Headline[]): string {
  const cell = (value: number | undefined): string => (value === undefined ? '' : ratio(value));
  return table(
    ['Figure', 'Endorse', 'Peer', 'Ratio', 'Limit'],
    lines.map((line) => [line.figure, line.endorse, line.peer, cell(line.ratio), cell(line.limit)]),
  );
}

/** A table whose first column is text and whose other columns are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Milliseconds; from ten seconds on, seconds. */
export function ms(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : count(value)} ms`;
}

/** Microseconds. */
export function us(value: number): string {
  return `${count(value)} µs`;
}

/** Mebibytes. */
export function mib(value: number): string {
  return `${value < 10 ? value.toFixed(1) : count(value)} MiB`;
}

/** A share of 0 to 1. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How many times as much. */
export function ratio(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}

/** A whole number, its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
