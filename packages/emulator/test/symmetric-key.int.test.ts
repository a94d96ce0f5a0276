/**
 * Symmetric keys over HTTPS, spoken with bare `node:https`: the enrollment through the service API as the REST reference
 * writes it, the device as the documentation's curl samples do it, an event to the hub at the end.
 */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { EmulatorFixture } from './support/http-client.ts';
import { base64, emulatorFixture } from './support/http-client.ts';
import { deviceToken, sas } from './support/software-tpm.ts';

const headers = { 'content-type': 'application/json; charset=utf-8' };
const version = 'api-version=2021-10-01';

/** Registers with a key, and returns the final answer. */
async function provision(
  { emulator, send }: EmulatorFixture,
  registrationId: string,
  key: Uint8Array,
): Promise<Record<string, unknown>> {
  const expiresAt = Date.now() + 60_000;
  const authorization = await deviceToken({ idScope: emulator.idScope, registrationId, key, expiresAt });
  const path = `/${emulator.idScope}/registrations/${registrationId}`;
  const common = { headers: { ...headers, authorization } };
  const body = JSON.stringify({ registrationId });
  const accepted = await send({ method: 'PUT', path: `${path}/register?${version}`, body, ...common });
  expect(accepted.status).toBe(202);
  const { operationId } = accepted.json() as { operationId: string };
  const done = await send({ path: `${path}/operations/${operationId}?${version}`, ...common });
  expect(done.status).toBe(200);
  return done.json()['registrationState'] as Record<string, unknown>;
}

async function sendEvent(
  { emulator, send }: EmulatorFixture,
  deviceId: string,
  key: Uint8Array,
): Promise<number> {
  const resource = `${emulator.assignedHub}/devices/${deviceId}`;
  const authorization = await sas({ resource, key, expiresAt: Date.now() + 60_000 });
  const path = `/devices/${deviceId}/messages/events?api-version=2021-04-12`;
  const event = { method: 'POST', path, headers: { authorization }, body: '{}' };
  return (await send(event, emulator.endpoints.hub)).status;
}

test('an operator enrolls a device, reads the keys the service made, and the device gets to its hub with one', async () => {
  await using fixture = await emulatorFixture();
  const { emulator, sendAsOwner } = fixture;
  const path = `/enrollments/key-1?${version}`;
  const body = JSON.stringify({ registrationId: 'key-1', attestation: { type: 'symmetricKey' } });
  const created = await sendAsOwner({ method: 'PUT', path, headers, body });
  expect(created.status).toBe(200);
  const mechanism = await sendAsOwner({
    method: 'POST',
    path: `/enrollments/key-1/attestationmechanism?${version}`,
  });
  expect(mechanism.json()).toEqual(created.json()['attestation']);
  const { symmetricKey } = mechanism.json() as {
    symmetricKey: { primaryKey: string; secondaryKey: string };
  };
  expect((await sendAsOwner({ path })).text).not.toContain(symmetricKey.primaryKey);

  const key = Buffer.from(symmetricKey.secondaryKey, 'base64');
  expect(key).toHaveLength(64);
  expect(await provision(fixture, 'key-1', key)).toMatchObject({
    status: 'assigned',
    deviceId: 'key-1',
    assignedHub: emulator.assignedHub,
  });
  expect(await sendEvent(fixture, 'key-1', key)).toBe(204);
  expect(emulator.telemetry).toHaveLength(1);
});

test('an operator enrolls a group, and a device it never heard of derives its key and gets to the hub', async () => {
  await using fixture = await emulatorFixture();
  const { sendAsOwner } = fixture;
  const path = `/enrollmentGroups/plant?${version}`;
  const groupKey = Buffer.alloc(32, 6);
  const symmetricKey = { primaryKey: base64(groupKey), secondaryKey: base64(Buffer.alloc(16, 7)) };
  const attestation = { type: 'symmetricKey', symmetricKey };
  const body = JSON.stringify({ enrollmentGroupId: 'plant', attestation });
  expect((await sendAsOwner({ method: 'PUT', path, headers, body })).json()).toMatchObject({ attestation });
  expect((await sendAsOwner({ method: 'PUT', path, headers, body })).status).toBe(409);
  expect((await sendAsOwner({ path })).json()).toMatchObject({
    enrollmentGroupId: 'plant',
    attestation: { type: 'symmetricKey' },
  });
  const mechanism = `/enrollmentgroups/plant/attestationmechanism?${version}`;
  expect((await sendAsOwner({ method: 'POST', path: mechanism })).json()).toEqual(attestation);

  const key = createHmac('sha256', groupKey).update('member-1').digest();
  const state = await provision(fixture, 'member-1', key);
  expect(state).toMatchObject({ deviceId: 'member-1', symmetricKey: { enrollmentGroupId: 'plant' } });
  expect(await sendEvent(fixture, 'member-1', key)).toBe(204);
  expect(await sendEvent(fixture, 'member-1', groupKey)).toBe(401);
  const record = await sendAsOwner({ path: `/registrations/member-1?${version}` });
  expect(record.json()).toMatchObject({ status: 'assigned' });

  expect((await sendAsOwner({ method: 'DELETE', path })).status).toBe(204);
  expect((await sendAsOwner({ path })).json()['errorCode']).toBe(404_204);
  const allowed = await sendAsOwner({ method: 'PATCH', path });
  expect([allowed.status, allowed.headers['allow']]).toEqual([405, 'GET, PUT, DELETE']);
});

test.each([
  ['one key of two', { primaryKey: base64(Buffer.alloc(32)) }],
  ['a key of 15 bytes', { primaryKey: base64(Buffer.alloc(15)), secondaryKey: base64(Buffer.alloc(32)) }],
  ['a key of 65 bytes', { primaryKey: base64(Buffer.alloc(65)), secondaryKey: base64(Buffer.alloc(32)) }],
  ['a key that is no base64', { primaryKey: 'hunter2!', secondaryKey: 'hunter2!' }],
])('%s is a 400', async (_title, symmetricKey) => {
  await using fixture = await emulatorFixture();
  const attestation = { type: 'symmetricKey', symmetricKey };
  for (const [path, id] of [
    ['/enrollments/x', { registrationId: 'x' }],
    ['/enrollmentGroups/x', { enrollmentGroupId: 'x' }],
  ] as const) {
    const body = JSON.stringify({ ...id, attestation });
    const answer = await fixture.sendAsOwner({ method: 'PUT', path: `${path}?${version}`, headers, body });
    expect([answer.status, answer.json()['errorCode']]).toEqual([400, 400_004]);
  }
});

test('no answer to a device, event or log line holds a key or a token', async () => {
  const lines: string[] = [];
  await using fixture = await emulatorFixture({
    logger: { log: (...line) => void lines.push(JSON.stringify(line)) },
    onEvent: (event) => void lines.push(JSON.stringify(event)),
  });
  const { emulator, send } = fixture;
  const own = await emulator.createSymmetricKeyEnrollment({ registrationId: 'key-1' });
  const group = await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
  const key = createHmac('sha256', group.primaryKey.reveal()).update('member-1').digest();
  lines.push(JSON.stringify(await provision(fixture, 'member-1', key)));
  lines.push(JSON.stringify(await provision(fixture, 'key-1', own.primaryKey.reveal())));
  const token = await deviceToken({
    idScope: emulator.idScope,
    registrationId: 'key-1',
    key,
    expiresAt: 4e12,
  });
  const refused = await send({
    method: 'PUT',
    path: `/${emulator.idScope}/registrations/key-1/register?${version}`,
    headers: { ...headers, authorization: token },
    body: '{}',
  });
  expect(refused.json()).toMatchObject({ errorCode: 401_002, message: 'Unauthorized' });
  lines.push(refused.text);
  expect(lines.length).toBeGreaterThan(8);
  const keys = [
    key,
    ...[own, group].flatMap((pair) => [pair.primaryKey.reveal(), pair.secondaryKey.reveal()]),
  ];
  for (const each of keys.map((bytes) => Buffer.from(bytes))) {
    expect(lines.join('\n')).not.toContain(each.toString('base64'));
    expect(lines.join('\n')).not.toContain(each.toString('hex'));
  }
  expect(lines.join('\n')).not.toContain(/sig=([^&]+)/.exec(token)?.[1]);
});
