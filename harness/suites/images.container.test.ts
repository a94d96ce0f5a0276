/** The images as others use them: by name in the environment, and all together by the compose file. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Secret } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';
import { beforeAll, expect, test, vi } from 'vitest';
import { createEnrollment } from '../support/operator.ts';
import { startTpmSimulator } from '../src/index.ts';
import { attestationSuite } from './attestation-suite.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const composeFile = join(root, 'harness/images/compose.yaml');

beforeAll(async () => {
  const argv = ['--conditions=@endorse/source', 'scripts/images.ts'];
  const { stdout } = await run(process.execPath, argv, { cwd: root });
  expect(stdout.trim().split('\n')).toEqual([
    'endorse/tpm-simulator:local',
    'endorse/mssim-simulator:local',
    'endorse/emulator:local',
  ]);
});

attestationSuite('an image of the mssim protocol', {
  runtime: 'container',
  image: 'endorse/mssim-simulator:local',
  protocol: 'mssim',
  timeoutMs: 120_000,
});

test('an image named by the environment is what startTpmSimulator() starts', async () => {
  vi.stubEnv('ENDORSE_TPM_IMAGE', 'endorse/mssim-simulator:local');
  vi.stubEnv('ENDORSE_TPM_PROTOCOL', 'mssim');
  try {
    await using simulator = await startTpmSimulator();
    expect(simulator.runtime).toBe('container');
    expect(simulator.address).toMatch(/^mssim:\/\//);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('an image that is not there is ERR_SIMULATOR_START, with the engine’s words', async () => {
  const options = { image: 'localhost:1/none:local', timeoutMs: 10_000 };
  await expect(startTpmSimulator(options)).rejects.toMatchObject({ code: 'ERR_SIMULATOR_START' });
});

test('an image that is no TPM is ERR_TIMEOUT, and its container is gone', async () => {
  const before = await containers();
  const options = { image: 'endorse/emulator:local', timeoutMs: 2_000 };
  await expect(startTpmSimulator(options)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  expect(await containers()).toEqual(before);
});

test('the compose file starts a service and two TPMs, and both TPMs register, over HTTPS and AMQP', async () => {
  await using resources = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'endorse-compose-'));
  resources.defer(() => rm(data, { recursive: true }));
  const compose = await composeCommand();
  const environment = { ...process.env, ENDORSE_DATA: data };
  const composeRun = (...args: readonly string[]): Promise<{ stdout: string }> =>
    run(compose[0], [...compose.slice(1), '--file', composeFile, '--project-name', 'endorse-test', ...args], {
      env: environment,
    });
  resources.defer(async () => void (await composeRun('down', '--timeout', '2')));
  await composeRun('up', '--detach');

  const ready = await vi.waitFor(
    async () => {
      const { stdout } = await composeRun('logs', '--no-color', 'provisioning-service');
      const line = /\{"event":"ready".*\}/.exec(stdout)?.[0];
      return JSON.parse(line ?? '') as Ready;
    },
    { timeout: 60_000, interval: 200 },
  );
  const caPem = await readFile(join(data, 'ca/ca.pem'), 'utf8');

  const devices = [
    { tpm: 'swtpm://localhost:2321', endpoint: ready.endpoints.http, create: createHttpTransport },
    { tpm: 'mssim://localhost:2331', endpoint: ready.endpoints.amqp, create: createAmqpTransport },
  ];
  for (const { tpm, endpoint, create } of devices) {
    const securityClient = await createTpmSecurityClient({ tpm });
    try {
      const registrationId = await securityClient.getRegistrationId();
      const endorsementKey = await securityClient.getEndorsementKey();
      await createEnrollment(
        { registrationId, attestation: { type: 'tpm', endorsementKey } },
        {
          serviceConnectionString: Secret.fromText(ready.serviceConnectionString),
          caPem,
          signal: AbortSignal.timeout(20_000),
        },
      );
      const result = await register({
        provisioningHost: new URL(endpoint).host,
        idScope: ready.idScope,
        transport: create({ ca: caPem }),
        securityClient,
        deadlineMs: 30_000,
      });
      expect(result).toMatchObject({ deviceId: registrationId, assignedHub: 'localhost:8444' });
    } finally {
      await securityClient.close();
    }
  }
});

interface Ready {
  readonly idScope: string;
  readonly serviceConnectionString: string;
  readonly endpoints: { readonly http: string; readonly amqp: string };
}

/** Ids of the containers that run. */
async function containers(): Promise<readonly string[]> {
  const { stdout } = await run('docker', ['ps', '--quiet']);
  return stdout.trim().split('\n').toSorted();
}

/** The plugin of a current Docker, else the program of older ones. */
async function composeCommand(): Promise<readonly [string, ...string[]]> {
  const hasPlugin = await run('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  );
  return hasPlugin ? ['docker', 'compose'] : ['docker-compose'];
}
