import type { Bench, Headline } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { count, headlineTable, ms, table } from '../tables.ts';
import type { IdleConnectionFigures } from './idle-connections.ts';
import { measureIdleConnections } from './idle-connections.ts';
import type { RegistrationRateFigures } from './registrations.ts';
import { measureRegistrations } from './registrations.ts';

/** Everything measured about the registrar. */
export interface RegistrarFigures {
  readonly registrations: RegistrationRateFigures;
  readonly idle: IdleConnectionFigures;
}

/** Self-registration on PostgreSQL, beside what pgbench does on the same server. */
export const registrarBench: Bench<RegistrarFigures> = {
  name: 'registrar',
  title: 'The registrar on PostgreSQL',
  summary:
    'registrations on PostgreSQL by four processes, beside the same statements by pgbench; idle connections',
  tools: ['postgresql'],
  peers: ['PostgreSQL'],
  run: async ({ size, say }) => {
    say('opening idle connections');
    const idle = await measureIdleConnections(size === 'quick' ? 100 : 1_000);
    say('registering devices on PostgreSQL with four processes, and pgbench in turn');
    const registrations = await measureRegistrations(
      size === 'quick' ? { turns: 1, turnMs: 2_000, lanes: 32 } : { turns: 5, turnMs: 6_000, lanes: 32 },
    );
    return { registrations, idle };
  },
  tables: (figures) => {
    const { latencyMs } = figures.registrations;
    const { connections, kibibytesEach } = figures.idle;
    return [
      headlineTable(headlines(figures)),
      table(
        ['Figure', 'Endorse'],
        [
          ['time of a registration, 32 at once: median', ms(latencyMs.median)],
          ['99th percentile', ms(latencyMs.p99)],
          [`memory of an idle TLS connection, of ${count(connections)}`, `${kibibytesEach.toFixed(1)} KiB`],
        ],
      ),
    ].join('\n\n');
  },
  headlines,
  plots: ({ registrations: { perSecond, transactionsPerSecond, insertsPerSecond } }) => {
    const description = `Transactions a second on one PostgreSQL: registrations ${count(perSecond.median)}, their statements by pgbench ${count(transactionsPerSecond.median)}, plain inserts by pgbench ${count(insertsPerSecond.median)}`;
    return [
      {
        name: 'rates',
        alternative: description,
        svg: plotRows(
          {
            title: 'Registrations a second on PostgreSQL',
            note: 'Median, 5th to 95th percentile of turns, 32 at once, fsync on; more is better',
            description,
          },
          { label: 'transactions a second', format: count, logarithmic: true },
          [
            {
              heading: 'four registrars, load and PostgreSQL on one machine',
              rows: [
                { who: 'registrations', tone: 'endorse', value: perSecond },
                { who: 'the same statements by pgbench', tone: 'peer', value: transactionsPerSecond },
                { who: 'plain inserts by pgbench', tone: 'floor', value: insertsPerSecond },
              ],
            },
          ],
        ),
      },
    ];
  },
};

function headlines({ registrations }: RegistrarFigures): readonly Headline[] {
  const { perSecond, transactionsPerSecond, insertsPerSecond, statements } = registrations;
  return [
    {
      figure: `Registrations a second on PostgreSQL, against their ${statements} statements by pgbench`,
      endorse: count(perSecond.median),
      peer: count(transactionsPerSecond.median),
      ratio: registrations.toTransactions,
    },
    {
      figure: 'Registrations a second on PostgreSQL, against plain one-row inserts by pgbench',
      endorse: count(perSecond.median),
      peer: count(insertsPerSecond.median),
      ratio: registrations.toInserts,
    },
  ];
}
