import type { Bench, Headline } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { ms, ratio, table } from '../tables.ts';
import type { CeremonyFigures } from './ceremony.ts';
import { measureCeremony } from './ceremony.ts';

/** What checks, sessions and protection add to the bare TPM commands. */
export const ceremonyBench: Bench<CeremonyFigures> = {
  name: 'ceremony',
  title: 'The ceremony inside the TPM',
  summary:
    'an activation and a signature on swtpm, with and without protected sessions, beside the raw commands',
  tools: ['swtpm'],
  peers: ['swtpm'],
  run: ({ size, say }) => {
    say('running the ceremony with and without protection');
    return measureCeremony({ rounds: size === 'quick' ? 4 : 41 });
  },
  tables: ({ raw, unprotected, protected: whole, unprotectedToRaw, protectedToRaw }) =>
    table(
      ['An activation and one signature', 'Median', '95th percentile', 'By the raw commands'],
      [
        ['the raw commands', ms(raw.median), ms(raw.p95), ''],
        [
          'Endorse without protected sessions',
          ms(unprotected.median),
          ms(unprotected.p95),
          ratio(unprotectedToRaw),
        ],
        ['Endorse as it is by default', ms(whole.median), ms(whole.p95), ratio(protectedToRaw)],
      ],
    ),
  headlines: (figures): readonly Headline[] => [
    {
      figure: 'Ceremony on swtpm (activation and one signature), unprotected, against the raw commands',
      endorse: ms(figures.unprotected.median),
      peer: ms(figures.raw.median),
      ratio: figures.unprotectedToRaw,
    },
    {
      figure: 'Ceremony on swtpm, protected sessions, against the raw commands',
      endorse: ms(figures.protected.median),
      peer: ms(figures.raw.median),
      ratio: figures.protectedToRaw,
    },
  ],
  plots: ({ raw, unprotected, protected: whole }) => {
    const description = `Activation and one signature on swtpm: raw commands ${ms(raw.median)}, Endorse without protected sessions ${ms(unprotected.median)}, with them ${ms(whole.median)}`;
    return [
      {
        name: 'durations',
        alternative: description,
        svg: plotRows(
          {
            title: 'The ceremony on swtpm: an activation and one signature',
            note: 'Median, 5th to 95th percentile; milliseconds, less is better',
            description,
          },
          { label: 'milliseconds', format: ms },
          [
            {
              heading: 'on one TPM state',
              rows: [
                { who: 'Endorse, by default', tone: 'endorse', value: whole },
                { who: 'Endorse, unprotected', tone: 'second', value: unprotected },
                { who: 'raw commands', tone: 'floor', value: raw },
              ],
            },
          ],
        ),
      },
    ];
  },
};
