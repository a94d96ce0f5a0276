import type { Bench, Headline } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { headlineTable, us } from '../tables.ts';
import type { TokenVerificationFigures } from './token-verification.ts';
import { measureTokenVerification } from './token-verification.ts';

type Figures = readonly TokenVerificationFigures[];

/** What our reading of a registration token adds to jose's check of its signature. */
export const tokensBench: Bench<Figures> = {
  name: 'tokens',
  title: 'Verification of registration tokens',
  summary: 'verifying a registration token of each algorithm, beside bare jose',
  tools: [],
  peers: ['jose'],
  run: ({ size, say }) => {
    say('verifying tokens in turn');
    return measureTokenVerification(
      size === 'quick' ? { rounds: 3, tokens: 100 } : { rounds: 31, tokens: 400 },
    );
  },
  tables: (figures) => headlineTable(headlines(figures)),
  headlines,
  plots: (figures) => {
    const description = `Verification of a token: ${figures
      .map(
        ({ algorithm, endorseUs, joseUs }) =>
          `${algorithm} ${us(endorseUs.median)}, bare jose ${us(joseUs.median)}`,
      )
      .join('; ')}`;
    return [
      {
        name: 'verification',
        alternative: description,
        svg: plotRows(
          {
            title: 'Verification of a registration token',
            note: 'Median, 5th to 95th percentile of rounds; microseconds, less is better',
            description,
          },
          { label: 'microseconds', format: us },
          figures.map(({ algorithm, endorseUs, joseUs }) => ({
            heading: algorithm,
            rows: [
              { who: 'Endorse', tone: 'endorse', value: endorseUs },
              { who: 'bare jose', tone: 'floor', value: joseUs },
            ] as const,
          })),
        ),
      },
    ];
  },
};

function headlines(figures: Figures): readonly Headline[] {
  return figures.map(({ algorithm, endorseUs, joseUs, ratio }) => ({
    figure: `Verification of a registration token, ${algorithm}, against bare jose`,
    endorse: us(endorseUs.median),
    peer: us(joseUs.median),
    ratio,
  }));
}
