/**
 * Every carrier × attestation × client: ours, and the official Azure IoT SDK for Node.js, unmodified. Each cell
 * registers, or is refused for the documented reason; the run leaves the table in `reports/carriers.md`.
 *
 * The official client insists on port 443 for what is HTTP and on the process-wide trust store, hence preload and
 * NODE_EXTRA_CA_CERTS.
 */
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { AttestationKind, SecurityClient } from '@endorse/interface';
import { Secret, attestationKinds } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { afterAll, describe, expect, test } from 'vitest';
import { carriers } from '../support/carriers.ts';
import type { Carrier } from '../support/carriers.ts';
import { actorPath, runActor } from '../support/run-actor.ts';

const reports = fileURLToPath(new URL('../../reports', import.meta.url));
/** What became of each cell that did what it should. */
const cells = new Map<string, string>();
const cellKey = (carrier: string, attestation: AttestationKind, client: string): string =>
  `${carrier} ${attestation} ${client}`;

afterAll(() => {
  const rows = carriers.map(({ name }) =>
    attestationKinds.flatMap((attestation) =>
      ['ours', 'official'].map((client) => cells.get(cellKey(name, attestation, client)) ?? 'FAILED'),
    ),
  );
  const head = attestationKinds.flatMap((attestation) => [
    `${attestation}, ours`,
    `${attestation}, official`,
  ]);
  const lines = [
    `| Carrier | ${head.join(' | ')} |`,
    `| --- | ${head.map(() => '---').join(' | ')} |`,
    ...rows.map((row, index) => `| ${carriers[index]?.name} | ${row.join(' | ')} |`),
  ];
  const table = `${lines.join('\n')}\n`;
  mkdirSync(reports, { recursive: true });
  writeFileSync(join(reports, 'carriers.md'), table);
  writeSync(1, table);
});

describe.each(carriers)('over $name', (carrier) => {
  const isRefused = (attestation: AttestationKind): boolean =>
    !carrier.capabilities.attestations.includes(attestation);

  test.each(attestationKinds)(
    'our client registers with %s, or refuses as documented',
    async (attestation) => {
      await using resources = new AsyncDisposableStack();
      const { emulator, device } = await startScene(attestation, resources);
      const { host } = new URL(carrier.endpoint(emulator));
      const registration = register({
        provisioningHost: host,
        idScope: emulator.idScope,
        transport: carrier.create(emulator.caPem),
        securityClient: resources.use(await device.open()),
        deadlineMs: 30_000,
      });
      if (isRefused(attestation)) {
        const reason = carrier.capabilities.refusals[attestation] ?? 'no reason';
        await expect(registration).rejects.toMatchObject({
          code: 'ERR_UNSUPPORTED_CAPABILITY',
          message: expect.stringContaining(reason),
        });
        cells.set(cellKey(carrier.name, attestation, 'ours'), 'refused');
      } else {
        const { registrationId: deviceId } = device;
        await expect(registration).resolves.toMatchObject({ status: 'assigned', deviceId });
        cells.set(cellKey(carrier.name, attestation, 'ours'), 'assigned');
      }
    },
  );

  test.each(attestationKinds)(
    'the official SDK registers with %s, or refuses as documented',
    async (attestation) => {
      await using resources = new AsyncDisposableStack();
      const { emulator, device, directory } = await startScene(attestation, resources);
      const caFile = join(directory, 'ca.pem');
      await writeFile(caFile, emulator.caPem);
      const run = await runActor('official-sdk.cjs', {
        nodeArguments: ['--require', actorPath('redirect-port.cjs')],
        environment: {
          NODE_EXTRA_CA_CERTS: caFile,
          ENDORSE_REDIRECT_443: new URL(emulator.endpoints.http).port,
          ENDORSE_HOST: officialHost(carrier, emulator),
          ENDORSE_ID_SCOPE: emulator.idScope,
          ENDORSE_CARRIER: carrier.name,
          ENDORSE_ATTESTATION: attestation,
          ...device.environment,
        },
      });
      const { registrationId: deviceId } = device;
      const assigned = { status: 'assigned', deviceId, assignedHub: emulator.assignedHub };
      expect(run.lines, run.errors).toEqual([isRefused(attestation) ? officialRefusal : assigned]);
      expect(run.exitCode).toBe(isRefused(attestation) ? 1 : 0);
      cells.set(
        cellKey(carrier.name, attestation, 'official'),
        isRefused(attestation) ? 'refused' : 'assigned',
      );
    },
  );
});

/** What the official client says of a TPM over MQTT, which the service does not offer. */
const officialRefusal = {
  error: 'ArgumentError',
  message: 'Transport does not support TPM authentication',
};

/** It takes a port for what is not HTTP only. */
function officialHost(carrier: Carrier, emulator: Emulator): string {
  const url = new URL(carrier.endpoint(emulator));
  return url.protocol === 'https:' ? url.hostname : url.host;
}

interface Scene {
  readonly emulator: Emulator;
  readonly device: EnrolledDevice;
  readonly directory: string;
}

async function startScene(attestation: AttestationKind, resources: AsyncDisposableStack): Promise<Scene> {
  const emulator = resources.use(await startEmulator({ retryAfterSeconds: 1 }));
  const directory = await mkdtemp(join(tmpdir(), 'endorse-carriers-'));
  resources.defer(() => rm(directory, { recursive: true }));
  return { emulator, directory, device: await enrollers[attestation](emulator, resources, directory) };
}

/** A device in both clients' words. */
interface EnrolledDevice {
  readonly registrationId: string;
  /** What the actor of the official client is told. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens it for ours. */
  open(): Promise<SecurityClient & AsyncDisposable>;
}

type Enroller = (
  emulator: Emulator,
  resources: AsyncDisposableStack,
  directory: string,
) => Promise<EnrolledDevice>;

const enrollers: Readonly<Record<AttestationKind, Enroller>> = {
  tpm: async (emulator, resources) => {
    const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
    const open = (): ReturnType<typeof createTpmSecurityClient> =>
      createTpmSecurityClient({ tpm: simulator.address });
    await using client = await open();
    const registrationId = await client.getRegistrationId();
    await emulator.createTpmEnrollment({
      registrationId,
      endorsementKey: await client.getEndorsementKey(),
    });
    const environment = { ENDORSE_REGISTRATION_ID: registrationId, ENDORSE_TPM: simulator.address };
    return { registrationId, environment, open };
  },
  'symmetric-key': async (emulator) => {
    const registrationId = 'key-device';
    const { primaryKey: key } = await emulator.createSymmetricKeyEnrollment({ registrationId });
    return {
      registrationId,
      environment: {
        ENDORSE_REGISTRATION_ID: registrationId,
        ENDORSE_SYMMETRIC_KEY: Buffer.from(key.reveal()).toString('base64'),
      },
      open: async () => createSymmetricKeySecurityClient({ registrationId, key }),
    };
  },
  x509: async (emulator, _resources, directory) => {
    const registrationId = 'x509-device';
    const { certificatePem, privateKeyPem } = createTestAuthority().issue({ commonName: registrationId });
    await emulator.createX509Enrollment({ registrationId, primaryCertificate: certificatePem });
    const files = { certificate: join(directory, 'device.pem'), key: join(directory, 'device-key.pem') };
    await writeFile(files.certificate, certificatePem);
    await writeFile(files.key, privateKeyPem);
    return {
      registrationId,
      environment: {
        ENDORSE_REGISTRATION_ID: registrationId,
        ENDORSE_CERTIFICATE_FILE: files.certificate,
        ENDORSE_KEY_FILE: files.key,
      },
      open: async () =>
        createX509SecurityClient({ certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) }),
    };
  },
};
