import type { Bench, Headline } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { count, ms, ratio, table } from '../tables.ts';
import type { FleetFigures } from './fleet.ts';
import { measureFleet } from './fleet.ts';

/** A fleet of simulated gateways from the first probe to the hub. */
export const fleetBench: Bench<FleetFigures> = {
  name: 'fleet',
  title: 'A fleet of gateways, end to end',
  summary:
    'two hundred simulated gateways from the first probe to their hub, and one of them beside the same calls by hand',
  tools: [],
  peers: [],
  run: ({ size, say }) => {
    say('provisioning gateways, together and one by one');
    return measureFleet(size === 'quick' ? { gateways: 20, alone: 4 } : { gateways: 200, alone: 15 });
  },
  tables: (figures) =>
    table(
      [`${count(figures.gateways)} gateways, eight at once`, 'Endorse', 'By hand', 'Ratio'],
      [
        ['all found after', ms(figures.discoveryMs), '', ''],
        ['planned in', ms(figures.planMs), '', ''],
        ['provisioned and verified in', ms(figures.applyMs), '', ''],
        ['for each gateway', ms(figures.applyMsPerGateway), '', ''],
        ['provisioned', count(figures.provisioned), '', ''],
        [
          'one gateway alone, median',
          ms(figures.alone.median),
          ms(figures.parts.median),
          ratio(figures.aloneOverParts),
        ],
      ],
    ),
  headlines: (figures): readonly Headline[] => [
    {
      figure: 'One gateway provisioned by the utility, against the same calls by hand',
      endorse: ms(figures.alone.median),
      peer: ms(figures.parts.median),
      ratio: figures.aloneOverParts,
    },
  ],
  plots: ({ alone, parts }) => {
    const description = `One gateway from plan to verification: ${ms(alone.median)} by the utility, ${ms(parts.median)} by the same calls made by hand`;
    return [
      {
        name: 'one-gateway',
        alternative: description,
        svg: plotRows(
          {
            title: 'One gateway, provisioned and verified',
            note: 'Median, 5th to 95th percentile; milliseconds, less is better',
            description,
          },
          { label: 'milliseconds', format: ms },
          [
            {
              heading: 'gateway and service in the same process',
              rows: [
                { who: 'by the utility', tone: 'endorse', value: alone },
                { who: 'by hand', tone: 'floor', value: parts },
              ],
            },
          ],
        ),
      },
    ];
  },
};
