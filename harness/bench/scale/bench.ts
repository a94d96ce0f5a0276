import type { Bench, BenchPlot } from '../bench.ts';
import { plotLines } from '../plots/lines.ts';
import type { Both } from '../support/both-storages.ts';
import { bothCells, measureBoth } from '../support/both-storages.ts';
import { count, mib, ms, table, us } from '../tables.ts';
import type { ScaleFigures, ScalePoint } from './scale.ts';
import { measureScale } from './scale.ts';

/** The emulator's core as enrollments grow to a million, in memory and on SQLite. */
export const scaleBench: Bench<Both<ScaleFigures>> = {
  name: 'scale',
  title: 'The emulator: from one enrollment to a million',
  summary:
    'what a registration, a query and memory cost as enrollments grow to a million, in memory and on SQLite',
  tools: [],
  peers: [],
  run: ({ size, say }) => {
    const sizes = size === 'quick' ? [1, 100, 10_000] : [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
    return measureBoth((storage) => {
      say(`letting enrollments grow, ${storage}`);
      return measureScale(storage, sizes);
    });
  },
  tables: render,
  headlines: () => [],
  plots,
};

function render(scale: Both<ScaleFigures>): string {
  const last = ({ points }: ScaleFigures): ScalePoint => {
    const point = points.at(-1);
    if (point === undefined) throw new Error('nothing was measured');
    return point;
  };
  return [
    table(
      [`Among ${count(last(scale.memory).enrollments)} enrollments`, 'In memory', 'SQLite'],
      [
        ['memory in use after a collection', ...bothCells(scale, (figures) => mib(last(figures).usedMiB))],
        [
          'resident memory, what was not given back included',
          ...bothCells(scale, (figures) => mib(last(figures).rssMiB)),
        ],
        ['size of the database', '', mib(scale.sqlite.fileMiB ?? 0)],
        ['first page of 1,000', ...bothCells(scale, ({ firstPageMs }) => ms(firstPageMs))],
        ['all pages of 1,000', ...bothCells(scale, ({ walkMs }) => ms(walkMs))],
        ['a query by registration id', ...bothCells(scale, ({ findMs }) => ms(findMs))],
        ['a query by another field, which looks at all', ...bothCells(scale, ({ searchMs }) => ms(searchMs))],
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
  ].join('\n\n');
}

function cost(point: ScalePoint | undefined): string {
  return point === undefined ? '' : `${us(point.registrationCpuUs)} (${us(point.registrationUs.median)})`;
}

function plots({ memory, sqlite }: Both<ScaleFigures>): readonly BenchPlot[] {
  const enrollments = { label: 'enrollments', logarithmic: true } as const;
  const series = (what: (point: ScalePoint) => number) =>
    [
      { name: 'in memory', tone: 'endorse', points: pointsOf(memory, what) },
      { name: 'SQLite', tone: 'second', points: pointsOf(sqlite, what) },
    ] as const;
  const [least, most] = [memory.points[0], memory.points.at(-1)];
  const registration = `CPU time of a registration from ${count(least?.enrollments ?? 0)} enrollments to ${count(most?.enrollments ?? 0)}: in memory ${us(least?.registrationCpuUs ?? 0)} to ${us(most?.registrationCpuUs ?? 0)}, on SQLite ${us(sqlite.points[0]?.registrationCpuUs ?? 0)} to ${us(sqlite.points.at(-1)?.registrationCpuUs ?? 0)}`;
  const used = `Memory in use with ${count(most?.enrollments ?? 0)} enrollments: ${mib(most?.usedMiB ?? 0)} in memory, ${mib(sqlite.points.at(-1)?.usedMiB ?? 0)} on SQLite`;
  return [
    {
      name: 'registration',
      alternative: registration,
      svg: plotLines(
        {
          title: 'What a registration costs as enrollments grow',
          note: 'CPU time of a register request and the poll that finds it assigned, without a carrier; less is better',
          description: registration,
        },
        { x: enrollments, y: { label: 'microseconds' } },
        series(({ registrationCpuUs }) => registrationCpuUs),
      ),
    },
    {
      name: 'memory',
      alternative: used,
      svg: plotLines(
        {
          title: 'Memory in use as enrollments grow',
          note: 'Heap and what lies beside it, after a collection, both axes logarithmic; less is better',
          description: used,
        },
        { x: enrollments, y: { label: 'MiB', logarithmic: true } },
        series(({ usedMiB }) => usedMiB),
      ),
    },
  ];
}

function pointsOf({ points }: ScaleFigures, what: (point: ScalePoint) => number) {
  return points.map((point) => ({ x: point.enrollments, y: what(point) }));
}
