import type { BenchPlot } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { count, ms } from '../tables.ts';
import type { EmulatorFigures } from './bench.ts';
import { loadCells } from './render.ts';

/** How many registrations a second, and how long one takes, by carrier and by how many register at once. */
export function plotEmulator({ load }: EmulatorFigures): readonly BenchPlot[] {
  const cells = loadCells(load);
  const throughput = `Registrations a second: ${cells
    .map(
      ({ title, memory, sqlite }) =>
        `${title} ${count(memory.perSecond)} in memory, ${count(sqlite.perSecond)} on SQLite`,
    )
    .join('; ')}`;
  const latency = `Time of a registration, medians: ${cells
    .map(
      ({ title, memory, sqlite }) =>
        `${title} ${ms(memory.latencyMs.median)} in memory, ${ms(sqlite.latencyMs.median)} on SQLite`,
    )
    .join('; ')}`;
  return [
    {
      name: 'throughput',
      alternative: throughput,
      svg: plotRows(
        {
          title: 'Registrations a second',
          note: 'Load from the same machine, each registration on a connection of its own; more is better',
          description: throughput,
        },
        { label: 'registrations a second', format: count },
        cells.map(({ title, memory, sqlite }) => ({
          heading: title,
          rows: [
            { who: 'in memory', tone: 'endorse', value: memory.perSecond },
            { who: 'SQLite', tone: 'second', value: sqlite.perSecond },
          ] as const,
        })),
      ),
    },
    {
      name: 'latency',
      alternative: latency,
      svg: plotRows(
        {
          title: 'Time of a registration under load',
          note: 'Median, 5th to 95th percentile, on a logarithmic axis; less is better',
          description: latency,
        },
        { label: 'milliseconds', format: ms, logarithmic: true },
        cells.map(({ title, memory, sqlite }) => ({
          heading: title,
          rows: [
            { who: 'in memory', tone: 'endorse', value: memory.latencyMs },
            { who: 'SQLite', tone: 'second', value: sqlite.latencyMs },
          ] as const,
        })),
      ),
    },
  ];
}
