import type { Bench, Headline } from '../bench.ts';
import { plotLines } from '../plots/lines.ts';
import { count, mib, ms, table } from '../tables.ts';
import type { DiscoveryFigures } from './discovery.ts';
import { measureDiscovery } from './discovery.ts';

/** How soon devices are found, and what junk costs. */
export const discoveryBench: Bench<DiscoveryFigures> = {
  name: 'discovery',
  title: 'Discovery: a thousand devices, and junk',
  summary:
    'how soon a thousand devices on loopback are found by broadcast, and what junk datagrams cost the prober',
  tools: [],
  peers: [],
  run: ({ size, say }) => {
    say('finding devices, then standing junk');
    return measureDiscovery(
      size === 'quick'
        ? { devices: 200, junkPerSecond: 2_000, junkSeconds: 2 }
        : { devices: 1_000, junkPerSecond: 10_000, junkSeconds: 10 },
    );
  },
  tables: ({ devices, foundWithin2s, foundMs, junk }) =>
    table(
      ['Figure', 'Endorse'],
      [
        [`found within 2 s, of ${count(devices)} devices`, count(foundWithin2s)],
        ['half of them found after', ms(foundMs.median)],
        ['the last one found after', ms(foundMs.max)],
        ['junk datagrams a second, as sent', count(junk.perSecond)],
        ['of all of them, seen by the prober', `${count(junk.received)} of ${count(junk.sent)}`],
        ['growth of the heap meanwhile', mib(junk.heapGrowthMiB)],
        ['growth of the process at its highest', mib(junk.peakGrowthMiB)],
      ],
    ),
  headlines: ({ devices, foundWithin2s, foundMs }): readonly Headline[] => [
    {
      figure: `Discovery of ${count(devices)} devices by broadcast: found within 2 s; the last after`,
      endorse: `${count(foundWithin2s)}; ${ms(foundMs.max)}`,
      peer: '',
    },
  ],
  plots: ({ devices, foundMs, curve }) => {
    const description = `Of ${count(devices)} devices half are found after ${ms(foundMs.median)} and the last after ${ms(foundMs.max)}`;
    return [
      {
        name: 'found',
        alternative: description,
        svg: plotLines(
          {
            title: `Discovery of ${count(devices)} devices by broadcast`,
            note: 'Devices found by the time since the first probe, on loopback; sooner is better',
            description,
          },
          { x: { label: 'milliseconds' }, y: { label: 'devices found' } },
          [
            {
              name: 'found',
              tone: 'endorse',
              points: [{ x: 0, y: 0 }, ...curve.map(({ found, atMs }) => ({ x: atMs, y: found }))],
            },
          ],
          { x: 2_000, label: 'limit: all within 2 s' },
        ),
      },
    ];
  },
};
