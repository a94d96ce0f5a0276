import type { Bench } from '../bench.ts';
import { plotRows } from '../plots/rows.ts';
import { installOurs } from '../support/projects.ts';
import { count, mib, ms, percent, table } from '../tables.ts';
import type { LoadFigures } from './load.ts';
import { measureLoad } from './load.ts';

/** How much of the emulator's time is cryptography, which no code of ours can make less. */
export const cryptographyBench: Bench<LoadFigures> = {
  name: 'cryptography',
  title: 'Where the time of a loaded emulator goes',
  summary: 'the share of cryptography in the CPU time of an emulator that devices with software TPMs load',
  tools: [],
  peers: [],
  run: async ({ size, say }) => {
    say('installing the packed emulator into an empty project');
    await using service = await installOurs(['@endorse/emulator']);
    say('loading it from two processes');
    const durationMs = size === 'quick' ? 2_000 : 10_000;
    return await measureLoad(service, { processes: 2, devices: 4, durationMs });
  },
  tables: ({ registrationsPerSecond, cpuMsPerRegistration, maxRssMiB, shares }) =>
    table(
      ['Eight devices with TPMs over HTTPS, at once', 'Emulator'],
      [
        ['registrations a second', count(registrationsPerSecond)],
        ['CPU time of one', ms(cpuMsPerRegistration)],
        ['of that, keys and tokens', percent(shares.keysAndTokens)],
        ['of that, keys, tokens and TLS', percent(shares.withTls)],
        ['peak of resident memory', mib(maxRssMiB)],
      ],
    ),
  headlines: ({ registrationsPerSecond, shares }) => [
    {
      figure: `Emulator under load (${count(registrationsPerSecond)} registrations a second): share of its CPU in cryptography, TLS included (keys and tokens alone: ${percent(shares.keysAndTokens)})`,
      endorse: percent(shares.withTls),
      peer: '',
    },
  ],
  plots: ({ cpuMsPerRegistration, shares: { keysAndTokens, withTls } }) => {
    const description = `Of the ${ms(cpuMsPerRegistration)} of CPU time of a registration, keys and tokens are ${percent(keysAndTokens)}, TLS is ${percent(withTls - keysAndTokens)}, everything else ${percent(1 - withTls)}`;
    const part = (share: number): number => share * cpuMsPerRegistration;
    return [
      {
        name: 'shares',
        alternative: description,
        svg: plotRows(
          {
            title: 'Where the CPU time of a registration goes in the emulator',
            note: 'Milliseconds of CPU time, by the sampling profiler of V8',
            description,
          },
          { label: 'milliseconds of CPU time', format: ms },
          [
            {
              heading: 'with a TPM over HTTPS',
              rows: [
                { who: 'keys and tokens', tone: 'floor', value: part(keysAndTokens) },
                { who: 'TLS', tone: 'floor', value: part(withTls - keysAndTokens) },
                { who: 'everything else', tone: 'endorse', value: part(1 - withTls) },
              ],
            },
          ],
        ),
      },
    ];
  },
};
