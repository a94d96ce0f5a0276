import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import type { Bench, BenchContext, Headline } from '../bench.ts';
import { floorLimit } from '../bench.ts';
import { headlineTable, mib, ms } from '../tables.ts';
import type { EmulatorChild } from '../support/emulator-child.ts';
import { startEmulatorChild } from '../support/emulator-child.ts';
import type { InstalledProject } from '../support/projects.ts';
import { installOfficial, installOurs } from '../support/projects.ts';
import type { FreshProcessFigures } from './fresh-process.ts';
import { measureFreshProcess } from './fresh-process.ts';
import { plotRegistration } from './plots.ts';
import type { RegistrationFigures } from './registration.ts';
import { measureRegistration } from './registration.ts';

/** What one project holds after its installation. */
export interface InstallationFigures {
  readonly installedPackages: number;
  readonly installedBytes: number;
  readonly withInstallScript: readonly string[];
}

/** Everything this bench measures. */
export interface RegistrationBenchFigures {
  readonly registration: RegistrationFigures;
  readonly freshProcess: FreshProcessFigures;
  readonly installation: { readonly endorse: InstallationFigures; readonly official: InstallationFigures };
}

/** What a device with a TPM takes over HTTPS, beside bare undici and the official SDK. */
export const registrationBench: Bench<RegistrationBenchFigures> = {
  name: 'registration',
  title: 'Registration with a TPM over HTTPS',
  summary:
    'a device with a TPM over HTTPS, as a client and as a fresh process, beside bare undici and the official SDK',
  tools: ['swtpm'],
  peers: [
    'undici',
    'azure-iot-provisioning-device',
    'azure-iot-provisioning-device-http',
    'azure-iot-security-tpm',
    'swtpm',
  ],
  run: measure,
  tables: (figures) => headlineTable(headlines(figures)),
  headlines,
  plots: plotRegistration,
};

async function measure({ size, say }: BenchContext): Promise<RegistrationBenchFigures> {
  const counts = size === 'quick' ? { turns: 1, rounds: 4, starts: 2 } : { turns: 5, rounds: 21, starts: 11 };
  await using resources = new AsyncDisposableStack();
  say('installing the packed packages and the official SDK, each into an empty project');
  const ours = resources.use(
    await installOurs(['@endorse/registration-core', '@endorse/security-tpm', '@endorse/transport-http']),
  );
  const service = resources.use(await installOurs(['@endorse/emulator']));
  const official = resources.use(
    await installOfficial([
      'azure-iot-provisioning-device',
      'azure-iot-provisioning-device-http',
      'azure-iot-security-tpm',
      'tss.js',
    ]),
  );
  const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
  const emulator = resources.use(
    await startEmulatorChild({
      script: join(service.actors, 'emulator-process.mjs'),
      caDirectory: await mkdtemp(join(tmpdir(), 'endorse-bench-ca-')),
    }),
  );
  await enroll(simulator.address, emulator);
  const setting = { ours, official, tpm: simulator.address, ...emulator.address };
  say('registering with each client in turn');
  const registration = await measureRegistration(setting, counts);
  say('starting fresh processes');
  const freshProcess = await measureFreshProcess(setting, { turns: counts.starts });
  return {
    registration,
    freshProcess,
    installation: { endorse: installationOf(ours), official: installationOf(official) },
  };
}

function installationOf({
  installedPackages,
  installedBytes,
  withInstallScript,
}: InstalledProject): InstallationFigures {
  return { installedPackages, installedBytes, withInstallScript };
}

async function enroll(tpm: string, emulator: EmulatorChild): Promise<void> {
  const client = await createTpmSecurityClient({ tpm });
  try {
    await emulator.enroll({
      registrationId: await client.getRegistrationId(),
      endorsementKey: await client.getEndorsementKey(),
      storageRootKey: await client.getStorageRootKey(),
    });
  } finally {
    await client.close();
  }
}

function headlines({
  registration,
  freshProcess,
  installation,
}: RegistrationBenchFigures): readonly Headline[] {
  const { node, undici, endorse, official } = freshProcess;
  const above = (figure: 'wallMs' | 'maxRssMiB', process: typeof node, ground: typeof node): number =>
    process[figure].median - ground[figure].median;
  return [
    {
      figure: 'Registration over HTTP less TPM time, against bare undici',
      endorse: ms(registration.overheadMs.endorse.median),
      peer: ms(registration.overheadMs.bareUndici.median),
      ratio: registration.endorseToBareUndici,
      limit: floorLimit,
    },
    {
      figure: 'Registration over HTTP less TPM time, against the official SDK',
      endorse: ms(registration.overheadMs.endorse.median),
      peer: ms(registration.overheadMs.official.median),
      ratio: registration.endorseToOfficial,
      limit: 1,
    },
    {
      figure: 'Fresh process to `assigned`, wall time above bare Node.js',
      endorse: ms(above('wallMs', endorse, node)),
      peer: ms(above('wallMs', official, node)),
      ratio: freshProcess.wallRatio,
    },
    {
      figure: `… less undici alone, sending three requests (${ms(above('wallMs', undici, node))})`,
      endorse: ms(above('wallMs', endorse, undici)),
      peer: ms(above('wallMs', official, node)),
      ratio: freshProcess.wallRatioLessUndici,
      limit: 0.8,
    },
    {
      figure: 'Fresh process to `assigned`, peak memory above bare Node.js',
      endorse: mib(above('maxRssMiB', endorse, node)),
      peer: mib(above('maxRssMiB', official, node)),
      ratio: freshProcess.memoryRatio,
    },
    {
      figure: `… less undici alone, sending three requests (${mib(above('maxRssMiB', undici, node))})`,
      endorse: mib(above('maxRssMiB', endorse, undici)),
      peer: mib(above('maxRssMiB', official, node)),
      ratio: freshProcess.memoryRatioLessUndici,
      limit: 0.8,
    },
    {
      figure: 'Installed packages for TPM + HTTP, against the official SDK',
      endorse: String(installation.endorse.installedPackages),
      peer: String(installation.official.installedPackages),
      ratio: installation.endorse.installedPackages / installation.official.installedPackages,
    },
    {
      figure: 'Installed bytes for TPM + HTTP, against the official SDK',
      endorse: mib(installation.endorse.installedBytes / 2 ** 20),
      peer: mib(installation.official.installedBytes / 2 ** 20),
      ratio: installation.endorse.installedBytes / installation.official.installedBytes,
    },
    {
      figure: 'Packages with an install script',
      endorse: String(installation.endorse.withInstallScript.length),
      peer: String(installation.official.withInstallScript.length),
    },
  ];
}
