/**
 * Who may import whom: the table behind ARCHITECTURE.md and the `dependencies`
 * check. A package that has no row does not pass.
 */

/** Tiers 0 and 1 are pure, 2 does IO, T is for tests, 3 puts it all together. */
export type Tier = '0' | '1' | '2' | 'T' | '3';

/** One row. Package names are written without their scope. */
export interface PackageRule {
  readonly tier: Tier;
  /** What the package holds, for ARCHITECTURE.md. */
  readonly holds: string;
  /** Workspace packages its sources may import; `emulator/core` allows only that subpath. */
  readonly imports: readonly string[];
  /** Workspace packages its tests may import beside those. */
  readonly testImports?: readonly string[];
  /** Third-party software its tests use as oracle or peer, for ARCHITECTURE.md. */
  readonly testPeers?: string;
  /**
   * Pure packages only: the files and folders that give defaults from the system, and may
   * therefore reach `@endorse/interface/node` and impure modules of Node.js.
   */
  readonly edgeFiles?: readonly string[];
  /**
   * Sees the whole repository: every package resolves from there, imported or
   * not, because README snippets run there; and it may use `scripts/`.
   */
  readonly seesRepository?: boolean;
}

const published = [
  'azure-compat',
  'compliance',
  'discovery',
  'dynamic-registration',
  'emulator',
  'enrollment-client',
  'interface',
  'protocol',
  'provisioning-client',
  'provisioning-utility',
  'registration-core',
  'security-symmetric-key',
  'security-tpm',
  'security-x509',
  'thingspro-edge',
  'tpm-simulator',
  'tpm2',
  'transport-amqp',
  'transport-http',
  'transport-mqtt',
  'transport-socket',
  'tss',
];

const transport = {
  tier: '2',
  imports: ['interface', 'protocol', 'transport-socket'],
  testImports: ['testkit', 'compliance', 'emulator', 'fuzzing'],
} as const;

/** Every package there is or will be, in the order ARCHITECTURE.md shows them. */
export const dependencyTable: Readonly<Record<string, PackageRule>> = Object.freeze({
  interface: {
    tier: '0',
    holds:
      'contracts, results, error classes, `Secret`, ports; `./virtual-clock`; `./node` holds the system ports',
    imports: [],
    edgeFiles: ['src/node.ts'],
  },
  tpm2: {
    tier: '0',
    holds:
      'TPM 2.0 as data and maths: codecs, Names, KDFs, MakeCredential, duplication, templates, response codes, sessions',
    imports: ['interface'],
    testImports: ['tpm-simulator'],
    testPeers: 'tss.js, tpm2-tools, OpenSSL',
  },
  protocol: {
    tier: '0',
    holds: 'the wire of the provisioning service, both directions, every carrier',
    imports: ['interface'],
    testPeers: 'the official SDK',
  },
  'registration-core': {
    tier: '1',
    holds:
      'the sans-IO registration machine, its driver, `register()`, `ensureProvisioned()`, `TpmRegistration`',
    imports: ['interface', 'protocol'],
    testImports: ['testkit', 'compliance'],
    edgeFiles: ['src/node.ts', 'src/node/', 'src/system-ports.ts'],
  },
  'provisioning-client': {
    tier: '1',
    holds: 'the pump-driven client on its own transition table, with the dialects `drs` and `dps`',
    imports: ['interface', 'protocol'],
    testImports: ['testkit'],
    edgeFiles: ['src/system-ports.ts'],
  },
  'security-tpm': {
    tier: '2',
    holds: 'TPM devices, command executor, sessions, key ceremony, hub SAS tokens',
    imports: ['interface', 'protocol', 'tpm2'],
    testImports: ['testkit', 'compliance', 'tpm-simulator'],
  },
  'security-symmetric-key': {
    tier: '2',
    holds: 'an identity that is a shared key',
    imports: ['interface', 'protocol'],
    testImports: ['testkit', 'compliance'],
  },
  'security-x509': {
    tier: '2',
    holds: 'an identity that is a certificate',
    imports: ['interface', 'protocol'],
    testImports: ['testkit', 'compliance'],
  },
  'transport-socket': {
    tier: '2',
    holds:
      'what the transports share: TLS, proxies, WebSockets, one connection and one request at a time, errors that say what failed',
    imports: ['interface', 'protocol'],
    testImports: ['testkit'],
  },
  'transport-http': { ...transport, holds: 'HTTPS, on undici' },
  'transport-amqp': { ...transport, holds: 'AMQP over TLS and WebSocket, on rhea' },
  'transport-mqtt': { ...transport, holds: 'MQTT over TLS and WebSocket, on mqtt' },
  'enrollment-client': {
    tier: '2',
    holds: 'the service API: enrollments',
    imports: ['interface', 'protocol', 'tpm2', 'transport-socket'],
    testImports: ['testkit', 'emulator'],
  },
  discovery: {
    tier: '2',
    holds: 'UDP prober and responder',
    imports: ['interface'],
    testImports: ['testkit'],
  },
  'thingspro-edge': { tier: '2', holds: 'REST client of a gateway', imports: ['interface'] },
  'provisioning-utility': {
    tier: '2',
    holds: 'plan, apply, journal, report',
    imports: ['interface', 'protocol', 'tpm2', 'discovery', 'thingspro-edge', 'enrollment-client'],
    testImports: ['testkit', 'emulator'],
  },
  'dynamic-registration': {
    tier: '2',
    holds: 'registration tokens, registrar, credential store, device client',
    imports: ['interface', 'tpm2'],
    testImports: ['tpm-simulator'],
  },
  emulator: {
    tier: '2',
    holds:
      'a provisioning service, its service API and a minimal IoT hub; shares codecs with the clients, never logic',
    imports: ['interface', 'protocol', 'tpm2'],
    testImports: ['fuzzing'],
    testPeers: 'third-party clients, the official SDK; never our transports or `registration-core`',
  },
  'azure-compat': {
    tier: '2',
    holds: 'adapters both ways between our contracts and the callback interfaces of the official SDK',
    imports: ['interface', 'protocol', 'registration-core'],
    testImports: ['compliance', 'testkit'],
    testPeers: 'the official SDK',
  },
  tss: {
    tier: '2',
    holds: 'tss.js in a form that installs everywhere, over our devices',
    imports: ['interface', 'security-tpm', 'tpm2'],
    testImports: ['tpm-simulator'],
  },
  'tpm-simulator': {
    tier: 'T',
    holds: 'starts swtpm and cleans up after it; a bridge for the mssim protocol',
    imports: ['interface'],
  },
  compliance: {
    tier: 'T',
    holds: 'exported suites for any `Transport` and any `SecurityClient`',
    imports: ['interface', 'protocol'],
  },
  fuzzing: {
    tier: 'T',
    holds: 'damages recordings, runs fuzz targets for a time (private)',
    imports: ['interface'],
  },
  testkit: {
    tier: 'T',
    holds: 'memory transport, software TPM, fault decorator (private)',
    imports: ['interface', 'protocol', 'tpm2', 'emulator/core'],
  },
  cli: { tier: '3', holds: 'the `endorse` command: parsing and rendering only', imports: published },
  harness: {
    tier: '3',
    holds: 'end-to-end suites, demo, benchmarks, fixtures for other test suites',
    imports: [...published, 'cli'],
    testImports: ['testkit', 'fuzzing'],
    testPeers: 'anything',
    seesRepository: true,
  },
});

/** The rows of the packages that exist, as Markdown, for ARCHITECTURE.md. */
export function renderDependencyTable(existing: readonly string[]): string {
  const exists = (entry: string): boolean => existing.includes(entry.split('/')[0] ?? entry);
  const rows = Object.entries(dependencyTable)
    .filter(([name]) => exists(name))
    .map(([name, { tier, holds, imports, testImports = [], testPeers }]) => {
      const allowed =
        imports.length >= published.length ? 'any published package' : codeList(imports.filter(exists));
      const tests = [codeList(testImports.filter(exists)), testPeers ?? ''].filter((part) => part !== '');
      return `| ${tier} | \`${name}\` | ${holds} | ${allowed || '–'} | ${tests.join('; ') || '–'} |`;
    });
  return [
    '| Tier | Package | Holds | May import | Tests may add |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function codeList(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
