/**
 * The commands of the checkout: which system tools each needs, what it runs.
 *
 * `entry` is started with the pinned Node.js and the `@endorse/source`
 * condition: packages run from their sources, so nothing is built first. A container engine is
 * `provided` for the time of the command where none answers, or `required` to be there.
 *
 * @type {Readonly<Record<string, {
 *   summary: string, tools: string[], entry: string, args?: string[], fromCallersFolder?: boolean,
 *   containers?: 'provided' | 'required',
 * }>>}
 */
export const commands = Object.freeze({
  demo: {
    summary: 'a device with a TPM registers with an emulated service, step by step',
    tools: ['swtpm'],
    entry: 'harness/demo/main.ts',
  },
  test: {
    summary: 'every check, the unit tests and the integration tests',
    tools: ['swtpm'],
    entry: 'scripts/suites/main.ts',
    args: ['test'],
  },
  'test:system': {
    summary: 'the tests against foreign tools: tpm2-tools, swtpm_setup, OpenSSL, Chromium',
    tools: [
      'swtpm',
      'swtpm-tools',
      'tpm2-tools',
      'openssl',
      'iproute2',
      'chromium',
      'postgresql',
      'mosquitto',
      'curl',
    ],
    entry: 'scripts/suites/main.ts',
    args: ['system'],
    containers: 'provided',
  },
  endorse: {
    summary: 'the endorse command line, from the sources',
    tools: [],
    entry: 'packages/cli/src/main.ts',
    // File names on its command line mean what they mean where the user stands.
    fromCallersFolder: true,
  },
  gateways: {
    summary: 'a LAN full of simulated gateways to try the provisioning utility on',
    tools: [],
    entry: 'harness/gateways/main.ts',
    fromCallersFolder: true,
  },
  bench: {
    summary: 'the benchmarks, side by side with the peers; --list lists them',
    // Each bench names its own.
    tools: [],
    entry: 'harness/bench/main.ts',
  },
  live: {
    summary:
      'suites and probes against the real service that ENDORSE_LIVE_* names, and a report of what differs',
    tools: ['swtpm'],
    entry: 'harness/live/main.ts',
  },
  fuzz: {
    summary: 'every decoder and listener against damaged recordings, for longer than the tests do',
    tools: ['swtpm'],
    entry: 'harness/fuzz/main.ts',
  },
  check: {
    summary: 'the checks alone, all or those named; --list lists them',
    tools: [],
    entry: 'scripts/checks/main.ts',
  },
  build: {
    summary: 'compiles every package into its dist/',
    tools: [],
    entry: 'scripts/build.ts',
  },
  format: {
    summary: 'formats every file, renders the generated parts of the documents',
    tools: [],
    entry: 'scripts/format.ts',
  },
  api: {
    summary: 'builds the packages and writes the reports of their public API',
    tools: [],
    entry: 'scripts/api-reports.ts',
  },
  docs: {
    summary: 'builds the documentation site into reports/site',
    tools: [],
    entry: 'docs/tools/site.mjs',
  },
  images: {
    summary: 'builds the container images: TPM simulators and the emulator',
    tools: [],
    entry: 'scripts/images.ts',
    containers: 'required',
  },
  changeset: { summary: 'writes a changeset', tools: [], entry: 'node_modules/@changesets/cli/bin.js' },
  // The pinned pnpm itself: it must work while the packages do not.
  pnpm: { summary: 'the pinned pnpm', tools: [], entry: '.toolchain/node_modules/pnpm/bin/pnpm.mjs' },
});
