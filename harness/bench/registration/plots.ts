import type { BenchPlot } from '../bench.ts';
import { floorLimit } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { mib, ms } from '../tables.ts';
import type { RegistrationBenchFigures } from './bench.ts';

/** What a client adds around the TPM, and what a fresh process takes. */
export function plotRegistration({
  registration,
  freshProcess,
}: RegistrationBenchFigures): readonly BenchPlot[] {
  const { endorse, bareUndici, official } = registration.overheadMs;
  const overhead = `Registration less TPM time: Endorse ${ms(endorse.median)}, bare undici ${ms(bareUndici.median)}, official SDK ${ms(official.median)}`;
  const ours = { who: 'Endorse', tone: 'endorse', value: endorse } as const;
  return [
    {
      name: 'overhead',
      alternative: overhead,
      svg: plotRows(
        {
          title: 'Registration over HTTPS, less what the TPM takes',
          note: 'Median, 5th to 95th percentile; milliseconds, less is better',
          description: overhead,
        },
        { label: 'milliseconds', format: ms },
        [
          {
            heading: 'against the same requests by undici alone',
            rows: [ours, { who: 'bare undici', tone: 'floor', value: bareUndici }],
            limit: { value: floorLimit * bareUndici.median, label: `limit: ${floorLimit} times` },
          },
          {
            heading: 'against the official SDK',
            rows: [ours, { who: 'official SDK', tone: 'peer', value: official }],
            limit: { value: official.median, label: 'limit: as fast' },
          },
        ],
      ),
    },
    plotProcesses(freshProcess, 'wallMs', {
      name: 'fresh-process',
      title: 'A fresh process, from its start to assigned and its exit',
      heading: 'wall time',
      unit: 'milliseconds',
      format: ms,
    }),
    plotProcesses(freshProcess, 'maxRssMiB', {
      name: 'memory',
      title: 'A fresh process, peak of its resident memory',
      heading: 'resident memory',
      unit: 'MiB',
      format: mib,
    }),
  ];
}

function plotProcesses(
  { endorse, official, undici, node }: RegistrationBenchFigures['freshProcess'],
  figure: 'wallMs' | 'maxRssMiB',
  words: {
    readonly name: string;
    readonly title: string;
    readonly heading: string;
    readonly unit: string;
    readonly format: (value: number) => string;
  },
): BenchPlot {
  const { name, title, heading, unit, format } = words;
  const rows = [
    { who: 'Endorse', tone: 'endorse', value: endorse[figure] },
    { who: 'official SDK', tone: 'peer', value: official[figure] },
    { who: 'undici alone', tone: 'floor', value: undici[figure] },
    { who: 'bare Node.js', tone: 'floor', value: node[figure] },
  ] as const;
  const medians = rows.map(({ who, value }) => `${who} ${format(value.median)}`).join(', ');
  const alternative = `${title}: ${medians}`;
  const note = `Median, 5th to 95th percentile; ${unit}, less is better`;
  return {
    name,
    alternative,
    svg: plotRows({ title, note, description: alternative }, { label: unit, format }, [{ heading, rows }]),
  };
}
