/**
 * What an emulator says while devices of every software kind register and an operator works: logs, events, metrics,
 * traces and what inspecting it shows hold no key and no token.
 */
import { inspect } from 'node:util';
import { parseServiceConnectionString } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { base64, emulatorFixture, tpmDevice } from './support/http-client.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';

test('no key and no token is in logs, events, metrics, traces, answers that need none, or the emulator inspected', async () => {
  const said: string[] = [];
  const headers = { 'content-type': 'application/json' };
  const version = '?api-version=2021-10-01';
  await using fixture = await emulatorFixture({
    adminPort: 0,
    logger: { log: (...line) => said.push(inspect(line, { depth: 10 })) },
    onEvent: (event) => said.push(JSON.stringify(event)),
  });
  const { emulator, sendAsOwner, send } = fixture;
  const secrets: string[] = ['sig=', 'SharedAccessSignature'];

  // A TPM registers, and fails to with a token that is not good.
  const tpm = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'tpm-1', endorsementKey: tpm.endorsementKey });
  const device = tpmDevice(fixture, 'tpm-1', tpm);
  const challenge = await device.requestChallenge();
  const token = await device.solve(challenge);
  secrets.push(base64(tpm.open(Buffer.from(String(challenge.json()['authenticationKey']), 'base64'))));
  await device.register(token.replace(/se=\d+/, 'se=1'));
  await device.poll(token, String((await device.register(token)).json()['operationId']));

  // A device with a symmetric key of the service's, and an operator who creates, reads and queries.
  const body = JSON.stringify({ registrationId: 'key-1', attestation: { type: 'symmetricKey' } });
  const created = await sendAsOwner({ method: 'PUT', path: `/enrollments/key-1${version}`, headers, body });
  const { attestation } = created.json() as { attestation: { symmetricKey: Record<string, string> } };
  const keys = Object.values(attestation.symmetricKey);
  expect(keys).toHaveLength(2);
  secrets.push(...keys);
  const key = Buffer.from(keys[0] ?? '', 'base64');
  const keyToken = await deviceToken({
    idScope: emulator.idScope,
    registrationId: 'key-1',
    key,
    expiresAt: Date.now() + 60_000,
  });
  const path = `/${emulator.idScope}/registrations/key-1/register?api-version=2021-06-01`;
  await send({
    method: 'PUT',
    path,
    headers: { ...headers, authorization: keyToken },
    body: '{"registrationId":"key-1"}',
  });
  await sendAsOwner({ method: 'PUT', path: `/enrollments/key-1${version}`, headers, body });
  const query = await sendAsOwner({
    method: 'POST',
    path: `/enrollments/query${version}`,
    headers,
    body: '{"query":"SELECT *"}',
  });
  const read = await sendAsOwner({ path: `/enrollments/key-1${version}` });
  said.push(query.text, read.text);

  const { url = '', token: adminToken } = emulator.admin ?? {};
  const authorization = `Bearer ${adminToken?.revealText() ?? ''}`;
  for (const target of ['/metrics', '/api/overview', '/api/traces', '/api/enrollments', '/api/faults', '/']) {
    said.push(await (await fetch(`${url}${target}`, { headers: { authorization } })).text());
  }
  said.push(inspect(emulator, { depth: 10, showHidden: true }));
  const { sharedAccessKey } = parseServiceConnectionString(emulator.serviceConnectionString.revealText());
  secrets.push(base64(sharedAccessKey.reveal()), adminToken?.revealText() ?? '');

  expect(said.length).toBeGreaterThan(15);
  const text = said.join('\n');
  expect(text).toContain('device-assigned');
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(3);
    expect(text).not.toContain(secret);
  }
});
