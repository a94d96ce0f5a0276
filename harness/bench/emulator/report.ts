import type { LoadFigure, StorageFigures } from './load.ts';
import type { ScaleFigures, ScalePoint } from './scale.ts';
import type { Summary } from '../statistics.ts';
import type { StartFigures } from './starts.ts';

/** Everything one run measured, in memory and on SQLite. */
export interface EmulatorReport {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  /** One write of a page that the disk has to confirm. */
  readonly syncMs: Summary;
  readonly starts: Both<StartFigures>;
  readonly load: Both<StorageFigures>;
  readonly scale: Both<ScaleFigures>;
}

interface Both<Figures> {
  readonly memory: Figures;
  readonly sqlite: Figures;
}

/** The figures as Markdown tables. */
export function renderReport({ machine, syncMs, starts, load, scale }: EmulatorReport): string {
  const { node, cpu, cores } = machine;
  return [
    table(
      ['A fresh process, medians', 'In memory', 'SQLite'],
      [
        [
          'from its start until it says where it listens',
          ...both(starts, ({ readyMs }) => ms(readyMs.median)),
        ],
        ['of that, loading the package', ...both(starts, ({ importMs }) => ms(importMs.median))],
        ['of that, `startEmulator`', ...both(starts, ({ startMs }) => ms(startMs.median))],
        ['resident memory then', ...both(starts, ({ rssMiB }) => mib(rssMiB.median))],
      ],
    ),
    table(['Registrations a second (p50, p99)', 'In memory', 'SQLite', 'Ratio'], registrationRows(load)),
    table(
      ['Enrollments created a second (p50, p99 of a request)', 'In memory', 'SQLite', 'Ratio'],
      [
        [
          'one a request, 16 connections',
          ...figures(load.memory.enrollments.single, load.sqlite.enrollments.single),
        ],
        [
          'ten a request, 16 connections',
          ...figures(tenfold(load.memory.enrollments.bulk), tenfold(load.sqlite.enrollments.bulk)),
        ],
      ],
    ),
    table(
      [`Among ${count(scale.memory.points.at(-1)?.enrollments ?? 0)} enrollments`, 'In memory', 'SQLite'],
      [
        [
          'memory in use after a collection',
          ...both(scale, ({ points }) => mib(points.at(-1)?.usedMiB ?? 0)),
        ],
        [
          'resident memory, what was not given back included',
          ...both(scale, ({ points }) => mib(points.at(-1)?.rssMiB ?? 0)),
        ],
        ['size of the database', '', mib(scale.sqlite.fileMiB ?? 0)],
        ['first page of 1,000', ...both(scale, ({ firstPageMs }) => ms(firstPageMs))],
        ['all pages of 1,000', ...both(scale, ({ walkMs }) => ms(walkMs))],
        ['the one enrollment that a query fits', ...both(scale, ({ searchMs }) => ms(searchMs))],
      ],
    ),
    table(
      ['A device that registers again, without a carrier: CPU time (wall time, p50)', 'In memory', 'SQLite'],
      scale.memory.points.map((memory, index) => [
        `among ${count(memory.enrollments)}`,
        cost(memory),
        cost(scale.sqlite.points[index]),
      ]),
    ),
    `One run on ${cores} cores (${cpu}), Node.js ${node}; emulator, load and whatever else ran there shared them. A page written and confirmed by this disk, by itself, took ${ms(syncMs.median)} (p99 ${ms(syncMs.p99)}); a registration on SQLite is confirmed twice.`,
  ].join('\n\n');
}

function registrationRows(load: Both<StorageFigures>): readonly (readonly string[])[] {
  return (['http', 'amqp', 'mqtt'] as const).flatMap((carrier) =>
    Object.entries(load.memory.registrations[carrier]).map(([devices, memory]) => {
      const sqlite = load.sqlite.registrations[carrier][devices];
      if (sqlite === undefined)
        throw new Error(`${carrier} was not measured with ${devices} devices on SQLite`);
      return [`${names[carrier]}, ${count(Number(devices))} at once`, ...figures(memory, sqlite)];
    }),
  );
}

const names = { http: 'HTTPS', amqp: 'AMQP', mqtt: 'MQTT' };

function figures(memory: LoadFigure, sqlite: LoadFigure): readonly string[] {
  const cell = ({ perSecond, medianMs, p99Ms }: LoadFigure): string =>
    `${count(Math.round(perSecond))} (${ms(medianMs)}, ${ms(p99Ms)})`;
  return [cell(memory), cell(sqlite), (sqlite.perSecond / memory.perSecond).toFixed(2)];
}

function tenfold(figure: LoadFigure): LoadFigure {
  return { ...figure, perSecond: figure.perSecond * 10 };
}

function both<Figures>(
  { memory, sqlite }: Both<Figures>,
  render: (figures: Figures) => string,
): readonly [string, string] {
  return [render(memory), render(sqlite)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function ms(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : count(Math.round(value))} ms`;
}

function cost(point: ScalePoint | undefined): string {
  const us = (value: number): string => `${count(Math.round(value))} µs`;
  return point === undefined ? '' : `${us(point.registrationCpuUs)} (${us(point.registrationUs)})`;
}

function mib(value: number): string {
  return `${count(Math.round(value))} MiB`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
