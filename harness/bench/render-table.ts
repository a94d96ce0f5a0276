import type { CeremonyFigures } from './ceremony.ts';
import type { FreshProcessFigures } from './fresh-process.ts';
import type { LoadFigures } from './load.ts';
import type { RegistrationFigures } from './registration.ts';

/** What one project holds after its installation. */
export interface InstallationFigures {
  readonly installedPackages: number;
  readonly installedBytes: number;
  readonly withInstallScript: readonly string[];
}

/** Everything one run measured. */
export interface BenchReport {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  readonly registration: RegistrationFigures;
  readonly freshProcess: FreshProcessFigures;
  readonly installation: { readonly endorse: InstallationFigures; readonly official: InstallationFigures };
  readonly emulator: LoadFigures & { readonly startMs: number };
  readonly ceremony: CeremonyFigures;
}

/** The figures as a Markdown table: medians of one run, and the ratio that counts. */
export function renderTable(report: BenchReport): string {
  const { registration, freshProcess, installation, emulator, ceremony, machine } = report;
  const { node, undici, endorse, official } = freshProcess;
  const rows = [
    ['Figure', 'Endorse', 'Peer', 'Ratio'],
    ['---', '---:', '---:', '---:'],
    [
      'Registration over HTTP less TPM time, against bare undici',
      ms(registration.overheadMs.endorse.median),
      ms(registration.overheadMs.bareUndici.median),
      ratio(registration.endorseToBareUndici),
    ],
    [
      'Registration over HTTP less TPM time, against the official SDK',
      ms(registration.overheadMs.endorse.median),
      ms(registration.overheadMs.official.median),
      ratio(registration.endorseToOfficial),
    ],
    [
      'Fresh process to `assigned`, wall time above bare Node.js',
      ms(endorse.wallMs.median - node.wallMs.median),
      ms(official.wallMs.median - node.wallMs.median),
      ratio(freshProcess.wallRatio),
    ],
    [
      `… less undici alone, sending three requests (${ms(undici.wallMs.median - node.wallMs.median)})`,
      ms(endorse.wallMs.median - undici.wallMs.median),
      ms(official.wallMs.median - node.wallMs.median),
      ratio(freshProcess.wallRatioLessUndici),
    ],
    [
      'Fresh process to `assigned`, peak memory above bare Node.js',
      mib(endorse.maxRssMiB.median - node.maxRssMiB.median),
      mib(official.maxRssMiB.median - node.maxRssMiB.median),
      ratio(freshProcess.memoryRatio),
    ],
    [
      `… less undici alone, sending three requests (${mib(undici.maxRssMiB.median - node.maxRssMiB.median)})`,
      mib(endorse.maxRssMiB.median - undici.maxRssMiB.median),
      mib(official.maxRssMiB.median - node.maxRssMiB.median),
      ratio(freshProcess.memoryRatioLessUndici),
    ],
    [
      'Installed packages for TPM + HTTP, against the official SDK',
      String(installation.endorse.installedPackages),
      String(installation.official.installedPackages),
      ratio(installation.endorse.installedPackages / installation.official.installedPackages),
    ],
    [
      'Installed bytes for TPM + HTTP, against the official SDK',
      mib(installation.endorse.installedBytes / 2 ** 20),
      mib(installation.official.installedBytes / 2 ** 20),
      ratio(installation.endorse.installedBytes / installation.official.installedBytes),
    ],
    [
      'Packages with an install script',
      String(installation.endorse.withInstallScript.length),
      String(installation.official.withInstallScript.length),
      '',
    ],
    [
      'Ceremony on swtpm (activation and one signature), unprotected, against the raw commands',
      ms(ceremony.unprotected.median),
      ms(ceremony.raw.median),
      ratio(ceremony.unprotectedToRaw),
    ],
    [
      'Ceremony on swtpm, protected sessions, against the raw commands',
      ms(ceremony.protected.median),
      ms(ceremony.raw.median),
      ratio(ceremony.protectedToRaw),
    ],
    [
      `Emulator under load (${Math.round(emulator.registrationsPerSecond)} registrations a second): share of its CPU in cryptography, TLS included (keys and tokens alone: ${percent(emulator.shares.keysAndTokens)})`,
      percent(emulator.shares.withTls),
      '',
      '',
    ],
  ];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${table}\n\nMedians of one run, all of a row measured side by side on ${machine.cores} cores (${machine.cpu}), Node.js ${machine.node}.`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function mib(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} MiB`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function ratio(value: number): string {
  return value.toFixed(2);
}
