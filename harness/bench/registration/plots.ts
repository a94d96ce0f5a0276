import type { BenchPlot } from '../bench.ts';
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
  const byProcess = (figure: 'wallMs' | 'maxRssMiB') =>
    [
      { who: 'Endorse', tone: 'endorse', value: freshProcess.endorse[figure] },
      { who: 'official SDK', tone: 'peer', value: freshProcess.official[figure] },
      { who: 'undici alone', tone: 'floor', value: freshProcess.undici[figure] },
      { who: 'bare Node.js', tone: 'floor', value: freshProcess.node[figure] },
    ] as const;
  const medians = (figure: 'wallMs' | 'maxRssMiB', format: (value: number) => string): string =>
    byProcess(figure)
      .map(({ who, value }) => `${who} ${format(value.median)}`)
      .join(', ');
  const processes = `A fresh process from start to exit: ${medians('wallMs', ms)}; peak memory: ${medians('maxRssMiB', mib)}`;
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
            limit: { value: 1.3 * bareUndici.median, label: 'limit: 1.3 times' },
          },
          {
            heading: 'against the official SDK',
            rows: [ours, { who: 'official SDK', tone: 'peer', value: official }],
            limit: { value: official.median, label: 'limit: as fast' },
          },
        ],
      ),
    },
    {
      name: 'fresh-process',
      alternative: processes,
      svg: plotRows(
        {
          title: 'A fresh process, from its start to assigned and its exit',
          note: 'Median, 5th to 95th percentile; milliseconds, less is better',
          description: processes,
        },
        { label: 'milliseconds', format: ms },
        [{ heading: 'wall time', rows: byProcess('wallMs') }],
      ),
    },
    {
      name: 'memory',
      alternative: processes,
      svg: plotRows(
        {
          title: 'A fresh process, peak of its resident memory',
          note: 'Median, 5th to 95th percentile; MiB, less is better',
          description: processes,
        },
        { label: 'MiB', format: mib },
        [{ heading: 'resident memory', rows: byProcess('maxRssMiB') }],
      ),
    },
  ];
}
