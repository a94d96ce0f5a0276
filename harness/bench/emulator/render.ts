import type { Both } from '../support/both-storages.ts';
import { bothCells } from '../support/both-storages.ts';
import { count, mib, ms, ratio, table } from '../tables.ts';
import type { EmulatorFigures } from './bench.ts';
import type { LoadFigure, StorageFigures } from './load.ts';

/** The figures as Markdown tables. */
export function renderEmulator({ syncMs, starts, load }: EmulatorFigures): string {
  const { memory, sqlite } = load;
  return [
    table(
      ['A fresh process, medians', 'In memory', 'SQLite'],
      [
        [
          'from its start until it says where it listens',
          ...bothCells(starts, ({ readyMs }) => ms(readyMs.median)),
        ],
        ['of that, loading the package', ...bothCells(starts, ({ importMs }) => ms(importMs.median))],
        ['of that, `startEmulator`', ...bothCells(starts, ({ startMs }) => ms(startMs.median))],
        ['resident memory then', ...bothCells(starts, ({ rssMiB }) => mib(rssMiB.median))],
      ],
    ),
    table(
      ['Registrations a second (p50, p99)', 'In memory', 'SQLite', 'Ratio'],
      loadCells(load).map((cell) => [cell.title, ...figures(cell.memory, cell.sqlite)]),
    ),
    table(
      ['Enrollments created a second (p50, p99 of a request)', 'In memory', 'SQLite', 'Ratio'],
      [
        ['one a request, 16 connections', ...figures(memory.enrollments.single, sqlite.enrollments.single)],
        [
          'ten a request, 16 connections',
          ...figures(tenfold(memory.enrollments.bulk), tenfold(sqlite.enrollments.bulk)),
        ],
      ],
    ),
    `A page written and confirmed by this disk, by itself, took ${ms(syncMs.median)} (p99 ${ms(syncMs.p99)}); a registration on SQLite is confirmed twice.`,
  ].join('\n\n');
}

/** The registrations, by carrier and by how many devices register at once. */
export function loadCells({
  memory,
  sqlite,
}: Both<StorageFigures>): readonly ({ readonly title: string } & Both<LoadFigure>)[] {
  return (['http', 'amqp', 'mqtt'] as const).flatMap((carrier) =>
    Object.entries(memory.registrations[carrier]).map(([devices, inMemory]) => {
      const onSqlite = sqlite.registrations[carrier][devices];
      if (onSqlite === undefined) {
        throw new Error(`${carrier} was not measured with ${devices} devices on SQLite`);
      }
      const title = `${names[carrier]}, ${count(Number(devices))} at once`;
      return { title, memory: inMemory, sqlite: onSqlite };
    }),
  );
}

const names = { http: 'HTTPS', amqp: 'AMQP', mqtt: 'MQTT' };

function figures(memory: LoadFigure, sqlite: LoadFigure): readonly string[] {
  const cell = ({ perSecond, latencyMs }: LoadFigure): string =>
    `${count(perSecond)} (${ms(latencyMs.median)}, ${ms(latencyMs.p99)})`;
  return [cell(memory), cell(sqlite), ratio(sqlite.perSecond / memory.perSecond)];
}

function tenfold(figure: LoadFigure): LoadFigure {
  return { ...figure, perSecond: figure.perSecond * 10 };
}
