/**
 * The `/drs/` dialect over HTTPS, spoken with bare `node:https` in the words of the Provisioning Client requirements
 * (azure-iot-sdk-c 004d0112f).
 */
import { expect, test } from 'vitest';
import type { Answer } from './support/http-client.ts';
import { base64, emulatorFixture } from './support/http-client.ts';
import { anyString, matching } from './support/matchers.ts';
import { softwareTpm } from './support/software-tpm.ts';

const query = '?api-version=2017-08-31-preview';
const json = { 'content-type': 'application/json' };

function registerMe(endorsementKey: Uint8Array): {
  readonly headers: Record<string, string>;
  readonly body: string;
} {
  const attestation = { tpm: { endorsementKey: base64(endorsementKey) } };
  const body = JSON.stringify({ registrationId: 'device-1', attestation, properties: null });
  return { headers: json, body };
}

test('a TPM registers in three exchanges', async () => {
  await using fixture = await emulatorFixture({ retryAfterSeconds: 3 });
  const { emulator, send } = fixture;
  const { endorsementKey, storageRootKey, decryptNonce, open } = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey, storageRootKey });

  const path = `/drs/registrations/device-1/register-me${query}`;
  const challenge = await send({ method: 'POST', path, ...registerMe(endorsementKey) });
  expect([challenge.status, challenge.json()]).toEqual([401, { correlationId: anyString, nonce: anyString }]);
  expect(challenge.headers).not.toHaveProperty('x-ms-error-code');

  const { correlationId, nonce } = challenge.json() as { correlationId: string; nonce: string };
  const decrypted = base64(decryptNonce(Buffer.from(nonce, 'base64')));
  const confirm = (): Promise<Answer> =>
    send({
      method: 'POST',
      path: `/drs/trust-confirmation/device-1${query}`,
      headers: json,
      body: JSON.stringify({ correlationId, nonce: decrypted }),
    });
  const confirmed = await confirm();
  expect([confirmed.status, confirmed.json(), confirmed.headers['retry-after']]).toEqual([
    202,
    { progressUrl: matching(/^\/drs\/registrations\/device-1\/operations\/5\.[0-9a-f]{16}\.[0-9a-f-]{36}$/) },
    '3',
  ]);
  expect((await confirm()).json()).toMatchObject({ errorCode: 401_002 });

  const { progressUrl } = confirmed.json() as { progressUrl: string };
  const assigned = await send({ path: `${progressUrl}${query}` });
  expect([assigned.status, assigned.json()]).toEqual([
    200,
    { IotHubUrl: emulator.assignedHub, deviceId: 'device-1', tpm: { authenticationKey: anyString } },
  ]);
  expect(assigned.headers).not.toHaveProperty('retry-after');
  const { tpm } = assigned.json() as { tpm: { authenticationKey: string } };
  expect(open(Buffer.from(tpm.authenticationKey, 'base64'))).toHaveLength(32);
});

test('while the operation runs, its progress is 202 and a repeated registration joins it with 200', async () => {
  await using fixture = await emulatorFixture({ assigningDurationMs: 60_000 });
  const { emulator, send } = fixture;
  const { endorsementKey, storageRootKey, decryptNonce } = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey, storageRootKey });
  const register = {
    method: 'POST',
    path: `/drs/registrations/device-1/register-me${query}`,
    ...registerMe(endorsementKey),
  };
  const { correlationId, nonce } = (await send(register)).json() as { correlationId: string; nonce: string };
  const confirmed = await send({
    method: 'POST',
    path: `/drs/trust-confirmation/device-1${query}`,
    headers: json,
    body: JSON.stringify({ correlationId, nonce: base64(decryptNonce(Buffer.from(nonce, 'base64'))) }),
  });
  const { progressUrl } = confirmed.json() as { progressUrl: string };
  const progress = await send({ path: `${progressUrl}${query}` });
  expect([progress.status, progress.json()]).toEqual([202, { status: 'assigning' }]);
  const joined = await send(register);
  expect([joined.status, joined.json()]).toEqual([
    200,
    { operationId: progressUrl.split('/').at(-1), status: 'assigning' },
  ]);
});

test.each([
  [{ path: `/drs/registrations/device-1/operations/o${query}`, method: 'DELETE' }, 405],
  [{ path: `/drs/registrations/device-1/register-me`, method: 'POST' }, 400],
  [{ path: `/drs/registrations/device-1/nothing${query}`, method: 'POST' }, 404],
  [
    { path: `/drs/registrations/device-1/register-me${query}`, method: 'POST', headers: json, body: '{}' },
    400,
  ],
  [{ path: `/drs/registrations/device-1/register-me${query}`, method: 'POST', body: '{}' }, 415],
  [{ path: `/drs/trust-confirmation/device-1${query}`, method: 'POST', headers: json, body: 'x' }, 400],
  [{ path: `/drs/registrations/unknown/operations/o${query}` }, 404],
])('%j is answered with %i and the service’s error body', async (request, status) => {
  await using fixture = await emulatorFixture();
  const answer = await fixture.send(request);
  expect(answer.status).toBe(status);
  expect(Math.floor(Number(answer.json()['errorCode']) / 1000)).toBe(status);
});

test('a fault script knows the operations of the dialect', async () => {
  const fault = { kind: 'status', status: 503, retryAfterSeconds: 1 } as const;
  await using fixture = await emulatorFixture({ faults: [{ operation: 'drs-register', count: 1, fault }] });
  const { emulator, send } = fixture;
  const { endorsementKey, storageRootKey } = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey, storageRootKey });
  const register = {
    method: 'POST',
    path: `/drs/registrations/device-1/register-me${query}`,
    ...registerMe(endorsementKey),
  };
  const first = await send(register);
  expect([first.status, first.headers['retry-after']]).toEqual([503, '1']);
  expect((await send(register)).status).toBe(401);
});
