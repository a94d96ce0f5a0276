/**
 * What reaches the service. Oracle of the token: the signature in [C1] was computed by Python's `hmac` over the text that
 * the service documents.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startEmulator } from '@endorse/emulator';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createSasToken, parseSasToken, serviceResource } from '@endorse/protocol';
import { createTestAuthority } from '@endorse/testkit';
import {
  decideEnrollment,
  enrollInBulk,
  ensureEnrollment,
  readEndorsementKey,
} from '@endorse/provisioning-utility';
import { endorsementKey } from './support/site.ts';

const policyKey = Secret.fromBase64('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');

interface Recorder {
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly token: string;
    readonly body: string;
  }[];
  readonly hostName: string;
  readonly ca: string;
}

/** A service that has no enrollment and takes everything, and what it was sent. */
async function withRecorder(use: (recorder: Recorder) => Promise<void>): Promise<void> {
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = authority.issue({ names: ['localhost'] });
  const requests: Recorder['requests'] = [];
  const server: Server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { method = '', url = '' } = request;
      requests.push({ method, url, token: request.headers.authorization ?? '', body });
      response.setHeader('content-type', 'application/json');
      if (method === 'POST') response.end(JSON.stringify({ isSuccessful: true, errors: [] }));
      else if (method === 'PUT')
        response.end(JSON.stringify({ ...(JSON.parse(body) as object), etag: '"1"' }));
      else response.writeHead(404).end(JSON.stringify({ errorCode: 404_201, message: 'no' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    await use({ requests, hostName: `localhost:${port}`, ca: authority.certificatePem });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const keyOf = (seed: number): Uint8Array => readEndorsementKey(endorsementKey(seed)).tpm2bPublic;
const desired = (seed: number) => ({
  registrationId: `device-${seed}`,
  endorsementKey: keyOf(seed),
  settings: { capabilities: { iotEdge: true } },
});

test('[C1] the token for a fixed clock equals a known-answer vector', async () => {
  const token = await createSasToken({
    resource: serviceResource('my-dps.azure-devices-provisioning.net'),
    keyName: 'provisioningserviceowner',
    expiresAt: 1_700_000_300_000,
    sign: async (data) => createHmac('sha256', policyKey.reveal()).update(data).digest(),
  });
  expect(token.revealText()).toBe(
    'SharedAccessSignature sr=my-dps.azure-devices-provisioning.net&sig=1Tn10Ex3YjxHvHexbGNwFDB2pfO2EJUvzlhXN%2FSqJVM%3D&se=1700000300&skn=provisioningserviceowner',
  );
});

test('[C2] sr is the host as it is, the key is decoded before HMAC, skn is there, se is in seconds', async () => {
  await withRecorder(async ({ requests, hostName, ca }) => {
    const clock = new VirtualClock(1_700_000_000_000);
    const client = createEnrollmentClient({
      hostName,
      sharedAccessKeyName: 'provisioningserviceowner',
      sharedAccessKey: policyKey,
      ca,
      clock,
    });
    try {
      await ensureEnrollment({ port: client, desired: desired(1), signal: new AbortController().signal });
    } finally {
      await client.close();
    }
    const token = requests.at(-1)?.token ?? '';
    const fields = new URLSearchParams(token.replace('SharedAccessSignature ', ''));
    expect(fields.get('sr')).toBe(hostName);
    expect(fields.get('skn')).toBe('provisioningserviceowner');
    const expiry = Number(fields.get('se'));
    expect(expiry).toBeGreaterThan(1_700_000_000);
    expect(expiry).toBeLessThanOrEqual(1_700_000_000 + 3600);
    const text = `${encodeURIComponent(hostName)}\n${expiry}`;
    const key = Buffer.from('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'base64');
    expect(fields.get('sig')).toBe(createHmac('sha256', key).update(text).digest('base64'));
  });
});

test('[C3] the lifetime is bounded, and a long run gets a new token before the old one expires', async () => {
  await withRecorder(async ({ requests, hostName, ca }) => {
    const clock = new VirtualClock(1_700_000_000_000);
    const client = createEnrollmentClient({
      hostName,
      sharedAccessKeyName: 'provisioningserviceowner',
      sharedAccessKey: policyKey,
      ca,
      clock,
    });
    const { signal } = new AbortController();
    try {
      for (let hour = 0; hour < 5; hour += 1) {
        await ensureEnrollment({ port: client, desired: desired(1), signal });
        await clock.advance(3_600_000);
      }
    } finally {
      await client.close();
    }
    const sentAt = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map((hour) => 1_700_000_000_000 + hour * 3_600_000);
    const lives = requests.map(
      ({ token }, index) => parseSasToken(token).expiresAtSeconds * 1000 - (sentAt[index] ?? 0),
    );
    expect(lives).toHaveLength(10);
    expect(Math.min(...lives)).toBeGreaterThan(0);
    expect(Math.max(...lives)).toBeLessThanOrEqual(3_600_000);
  });
});

test('[C10] a bulk of 23 devices is three requests, of 10, 10 and 3', async () => {
  await withRecorder(async ({ requests, hostName, ca }) => {
    const client = createEnrollmentClient({
      hostName,
      sharedAccessKeyName: 'provisioningserviceowner',
      sharedAccessKey: policyKey,
      ca,
    });
    try {
      const devices = Array.from({ length: 23 }, (_, index) => desired(index + 1));
      await enrollInBulk({ enrollments: client.enrollments, devices, signal: AbortSignal.timeout(20_000) });
    } finally {
      await client.close();
    }
    const sizes = requests.map(
      ({ body }) => (JSON.parse(body) as { enrollments: unknown[] }).enrollments.length,
    );
    expect(sizes).toEqual([10, 10, 3]);
  });
});

test('[C10] partial errors of a bulk are mapped to their devices', async () => {
  await using emulator = await startEmulator();
  const { serviceConnectionString: connectionString, caPem: ca } = emulator;
  await using client = createEnrollmentClient({ connectionString, ca });
  const signal = AbortSignal.timeout(20_000);
  await ensureEnrollment({ port: client, desired: desired(5), signal });
  const devices = Array.from({ length: 12 }, (_, index) => desired(index + 1));
  const outcomes = await enrollInBulk({ enrollments: client.enrollments, devices, signal });
  expect(outcomes.filter(({ result }) => result === 'failed')).toMatchObject([
    { registrationId: 'device-5', code: expect.any(Number), message: expect.any(String) },
  ]);
  expect(outcomes.map(({ registrationId }) => registrationId)).toEqual(
    devices.map((device) => device.registrationId),
  );
});

test('[C7] [E5] an enrollment is created without a storage root key, left alone, updated, and never replaced', async () => {
  await using emulator = await startEmulator();
  const { serviceConnectionString: connectionString, caPem: ca } = emulator;
  await using client = createEnrollmentClient({ connectionString, ca });
  const signal = AbortSignal.timeout(20_000);
  const options = { port: client, signal };
  expect(await ensureEnrollment({ ...options, desired: desired(1) })).toMatchObject({ result: 'changed' });
  expect(await ensureEnrollment({ ...options, desired: desired(1) })).toMatchObject({ result: 'unchanged' });
  const { attestation } = await client.enrollments.get('device-1', { signal });
  expect(attestation).not.toHaveProperty('storageRootKey');
  const tagged = { ...desired(1), settings: { ...desired(1).settings, initialTwin: { tags: { line: 4 } } } };
  expect(await ensureEnrollment({ ...options, desired: tagged })).toMatchObject({ result: 'changed' });
  expect(await ensureEnrollment({ ...options, desired: tagged })).toMatchObject({ result: 'unchanged' });
  const other = { ...desired(2), registrationId: 'device-1' };
  await expect(ensureEnrollment({ ...options, desired: other })).rejects.toMatchObject({
    code: 'ERR_ENROLLMENT_CONFLICT',
  });
  const untouched = await client.enrollments.get('device-1', { signal });
  expect(decideEnrollment(untouched, tagged)).toMatchObject({ action: 'unchanged' });
});
