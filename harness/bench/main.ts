/**
 * `npm run bench`: our clients beside the peers, on one TPM and one emulator, in one run.
 *
 * Prints JSON to `reports/bench/tpm-over-http.json` and a table to standard output;
 * `--update-readme` puts the table into README.md; `--carriers` measures only what differs by
 * carrier, `--fleet` a fleet of gateways instead, `--discovery` how they are found. Figures are never asserted on: machines are noisy.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { measureCeremony } from './ceremony.ts';
import { benchCarriers } from './carriers/main.ts';
import { startEmulatorChild } from './emulator-child.ts';
import { benchDiscovery } from './discovery-main.ts';
import { benchFleet } from './fleet-main.ts';
import { measureFreshProcess } from './fresh-process.ts';
import { measureLoad } from './load.ts';
import { installOfficial, installOurs } from './projects.ts';
import { benchRegistrar } from './registrar-main.ts';
import { measureRegistration } from './registration.ts';
import { renderTable } from './render-table.ts';
import type { BenchReport } from './render-table.ts';
import { updateReadme } from './update-readme.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    carriers: { type: 'boolean', default: false },
    discovery: { type: 'boolean', default: false },
    fleet: { type: 'boolean', default: false },
    registrar: { type: 'boolean', default: false },
    'update-readme': { type: 'boolean', default: false },
  },
});
const size = values.quick
  ? { turns: 1, rounds: 4, starts: 2, loadMs: 2_000, ceremonies: 4 }
  : { turns: 5, rounds: 21, starts: 11, loadMs: 10_000, ceremonies: 41 };

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(): Promise<BenchReport> {
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

  const directory = await mkdtemp(join(tmpdir(), 'endorse-bench-ca-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
  const emulator = resources.use(
    await startEmulatorChild({
      script: join(service.actors, 'emulator-process.mjs'),
      caDirectory: directory,
    }),
  );
  await enroll(simulator.address, emulator);
  const setting = { ours, official, tpm: simulator.address, ...emulator.address };

  say('registering with each client in turn');
  const registration = await measureRegistration(setting, size);
  say('starting fresh processes');
  const freshProcess = await measureFreshProcess(setting, { turns: size.starts });
  say('loading the emulator from other processes');
  const load = await measureLoad(service, { processes: 2, devices: 4, durationMs: size.loadMs });
  say('running the ceremony with and without protection');
  const ceremony = await measureCeremony({ rounds: size.ceremonies });
  return {
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    registration,
    freshProcess,
    installation: { endorse: installationOf(ours), official: installationOf(official) },
    emulator: { startMs: emulator.address.startMs, ...load },
    ceremony,
  };
}

function installationOf(
  project: Awaited<ReturnType<typeof installOurs>>,
): BenchReport['installation']['endorse'] {
  const { installedPackages, installedBytes, withInstallScript } = project;
  return { installedPackages, installedBytes, withInstallScript };
}

async function enroll(tpm: string, emulator: Awaited<ReturnType<typeof startEmulatorChild>>): Promise<void> {
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

const carrierOptions = { quick: values.quick, updateReadme: values['update-readme'], say };
if (values.fleet) {
  await benchFleet({ quick: values.quick });
} else if (values.registrar) {
  await benchRegistrar({ quick: values.quick });
} else if (values.discovery) {
  await benchDiscovery({ quick: values.quick });
} else if (values.carriers) {
  await benchCarriers(carrierOptions);
} else {
  const report = await measure();
  const directory = fileURLToPath(new URL('../../reports/bench/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'tpm-over-http.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const table = renderTable(report);
  process.stdout.write(`${table}\n`);
  if (values['update-readme']) await updateReadme('bench', table);
  await benchCarriers(carrierOptions);
}
