/**
 * The official Azure IoT SDK for Node.js, unmodified, registers over every carrier with every attestation that it
 * supports. It insists on port 443 for WebSockets and on the process-wide trust store, hence preload and
 * NODE_EXTRA_CA_CERTS.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { AttestationKind } from '@endorse/interface';
import { attestationKinds } from '@endorse/interface';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { createTestAuthority } from '@endorse/testkit';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { actorPath, runActor } from '../support/run-actor.ts';

/** Where the official client of a carrier goes; it insists on 443 for what is HTTP. */
const hosts: Readonly<Record<string, (emulator: Emulator) => string>> = {
  http: () => 'localhost',
  amqp: ({ endpoints }) => new URL(endpoints.amqp).host,
  'amqp-ws': () => 'localhost',
  mqtt: ({ endpoints }) => new URL(endpoints.mqtt).host,
  'mqtt-ws': () => 'localhost',
};

describe.each(Object.keys(hosts))('the official SDK over %s', (carrier) => {
  test.each(attestationKinds)('registers with %s, or refuses as documented', async (attestation) => {
    await using resources = new AsyncDisposableStack();
    const emulator = resources.use(await startEmulator({ retryAfterSeconds: 1 }));
    const directory = await mkdtemp(join(tmpdir(), 'endorse-official-'));
    resources.defer(() => rm(directory, { recursive: true }));
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, emulator.caPem);
    const device = await enrollers[attestation](emulator, resources, directory);

    const run = await runActor('official-sdk.cjs', {
      nodeArguments: ['--require', actorPath('redirect-port.cjs')],
      environment: {
        NODE_EXTRA_CA_CERTS: caFile,
        ENDORSE_REDIRECT_443: new URL(emulator.endpoints.http).port,
        ENDORSE_HOST: hosts[carrier]?.(emulator) ?? '',
        ENDORSE_ID_SCOPE: emulator.idScope,
        ENDORSE_CARRIER: carrier,
        ENDORSE_ATTESTATION: attestation,
        ...device,
      },
    });
    const deviceId = device.ENDORSE_REGISTRATION_ID;
    const isRefused = attestation === 'tpm' && carrier.startsWith('mqtt');
    const assigned = { status: 'assigned', deviceId, assignedHub: emulator.assignedHub };
    expect(run.lines, run.errors).toEqual([isRefused ? refusal : assigned]);
    expect(run.exitCode).toBe(isRefused ? 1 : 0);
  });
});

/** What the official client says of a TPM over MQTT, which the service does not offer. */
const refusal = { error: 'ArgumentError', message: 'Transport does not support TPM authentication' };

/** What the actor is told about its device. */
interface EnrolledDevice extends Readonly<Record<string, string>> {
  readonly ENDORSE_REGISTRATION_ID: string;
}

type Enroller = (
  emulator: Emulator,
  resources: AsyncDisposableStack,
  directory: string,
) => Promise<EnrolledDevice>;

const enrollers: Readonly<Record<AttestationKind, Enroller>> = {
  tpm: async (emulator, resources) => {
    const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
    const client = await createTpmSecurityClient({ tpm: simulator.address });
    try {
      const registrationId = await client.getRegistrationId();
      await emulator.createTpmEnrollment({
        registrationId,
        endorsementKey: await client.getEndorsementKey(),
      });
      return { ENDORSE_REGISTRATION_ID: registrationId, ENDORSE_TPM: simulator.address };
    } finally {
      await client.close();
    }
  },
  'symmetric-key': async (emulator) => {
    const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId: 'key-device' });
    const key = Buffer.from(primaryKey.reveal()).toString('base64');
    return { ENDORSE_REGISTRATION_ID: 'key-device', ENDORSE_SYMMETRIC_KEY: key };
  },
  x509: async (emulator, _resources, directory) => {
    const { certificatePem, privateKeyPem } = createTestAuthority().issue({ commonName: 'x509-device' });
    await emulator.createX509Enrollment({
      registrationId: 'x509-device',
      primaryCertificate: certificatePem,
    });
    const files = { certificate: join(directory, 'device.pem'), key: join(directory, 'device-key.pem') };
    await writeFile(files.certificate, certificatePem);
    await writeFile(files.key, privateKeyPem);
    return {
      ENDORSE_REGISTRATION_ID: 'x509-device',
      ENDORSE_CERTIFICATE_FILE: files.certificate,
      ENDORSE_KEY_FILE: files.key,
    };
  },
};
