import type { BenchPlot } from '../bench.ts';
import { floorLimit } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { carriers, carrierTitles } from '../support/carrier.ts';
import { count, ms } from '../tables.ts';
import type { CarrierFigures } from './render.ts';
import { bareTitles } from './render.ts';

/** Wall and CPU time over AMQP and MQTT, round trips over every carrier. */
export function plotCarriers({ exchange, wire }: CarrierFigures): readonly BenchPlot[] {
  const groups = (what: 'wallMs' | 'cpuMs') =>
    (['amqp', 'mqtt'] as const).map((carrier) => {
      const times = exchange[carrier][what];
      return {
        heading: carrierTitles[carrier],
        rows: [
          { who: 'Endorse', tone: 'endorse', value: times.endorse },
          { who: bareTitles[carrier], tone: 'floor', value: times.bare },
          { who: 'official SDK', tone: 'peer', value: times.official },
        ] as const,
        ...(what === 'wallMs'
          ? {
              limit: {
                value: floorLimit * times.bare.median,
                label: `limit: ${floorLimit} times ${bareTitles[carrier]}`,
              },
            }
          : {}),
      };
    });
  const describe = (what: 'wallMs' | 'cpuMs'): string =>
    groups(what)
      .map(
        ({ heading, rows }) =>
          `${heading}: ${rows.map(({ who, value }) => `${who} ${ms(value.median)}`).join(', ')}`,
      )
      .join('; ');
  const wall = `Wall time of a registration over ${describe('wallMs')}`;
  const cpu = `CPU time of the client for a registration over ${describe('cpuMs')}`;
  const trips = `Round trips of a registration: ${carriers
    .map(
      (carrier) =>
        `${carrierTitles[carrier]} ${wire[carrier].endorse.roundTrips}, official SDK ${wire[carrier].official.roundTrips}`,
    )
    .join('; ')}`;
  return [
    {
      name: 'wall',
      alternative: wall,
      svg: plotRows(
        {
          title: 'Registration with a symmetric key, wall time',
          note: 'Median, 5th to 95th percentile; milliseconds on a logarithmic axis, less is better',
          description: wall,
        },
        { label: 'milliseconds', format: ms, logarithmic: true },
        groups('wallMs'),
      ),
    },
    {
      name: 'cpu',
      alternative: cpu,
      svg: plotRows(
        {
          title: 'Registration with a symmetric key, CPU time of the client',
          note: 'Median, 5th to 95th percentile; milliseconds, less is better',
          description: cpu,
        },
        { label: 'milliseconds', format: ms },
        groups('cpuMs'),
      ),
    },
    {
      name: 'round-trips',
      alternative: trips,
      svg: plotRows(
        {
          title: 'How often a registration waits for the service',
          note: 'Round trips from the first packet to assigned, TCP and TLS included; less is better',
          description: trips,
        },
        { label: 'round trips', format: count },
        carriers.map((carrier) => ({
          heading: carrierTitles[carrier],
          rows: [
            { who: 'Endorse', tone: 'endorse', value: wire[carrier].endorse.roundTrips },
            { who: 'official SDK', tone: 'peer', value: wire[carrier].official.roundTrips },
          ] as const,
        })),
      ),
    },
  ];
}
