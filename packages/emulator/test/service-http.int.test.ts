/**
 * The service API over HTTPS, with bodies as the documentation's samples and the published examples of the REST
 * specification have them: quoted etags inside JSON, 200 for create and update, 204 without a body for delete.
 */
import { expect, test } from 'vitest';
import { base64, emulatorFixture, ownerToken, tpmDevice } from './support/http-client.ts';
import { softwareTpm } from './support/software-tpm.ts';
import { matching } from './support/matchers.ts';

const path = '/enrollments/device-1?api-version=2021-10-01';
const headers = { 'content-type': 'application/json; charset=utf-8' };
const { endorsementKey } = softwareTpm();
const document = {
  registrationId: 'device-1',
  deviceId: 'sensor',
  attestation: { type: 'tpm', tpm: { endorsementKey: base64(endorsementKey) } },
  provisioningStatus: 'enabled',
};
const body = JSON.stringify(document);

test('an enrollment is created, read, replaced and deleted, and decides whether the device may register', async () => {
  await using fixture = await emulatorFixture();
  const { sendAsOwner } = fixture;
  const created = await sendAsOwner({ method: 'PUT', path, headers, body });
  expect(created.status).toBe(200);
  expect(created.json()).toMatchObject({ ...document, etag: matching(/^".*"$/) });
  expect(created.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
  expect((await tpmDevice(fixture, 'device-1').requestChallenge()).status).toBe(401);

  const read = await sendAsOwner({ path: '/Enrollments/DEVICE-1/?api-version=2019-03-31' });
  expect([read.status, read.json()]).toEqual([200, created.json()]);
  const mechanism = '/enrollments/device-1/attestationmechanism?api-version=2021-10-01';
  expect((await sendAsOwner({ method: 'POST', path: mechanism })).json()).toEqual(document.attestation);

  expect((await sendAsOwner({ method: 'PUT', path, headers, body })).status).toBe(409);
  const stale = await sendAsOwner({ method: 'PUT', path, headers: { ...headers, 'if-match': '"x"' }, body });
  expect([stale.status, stale.headers['x-ms-error-code']]).toEqual([412, '412000']);
  const etag = String(created.json()['etag']);
  const replaced = await sendAsOwner({
    method: 'PUT',
    path,
    headers: { ...headers, 'if-match': etag },
    body,
  });
  expect(replaced.json()['etag']).not.toBe(etag);

  const deleted = await sendAsOwner({ method: 'DELETE', path });
  expect([deleted.status, deleted.text]).toEqual([204, '']);
  const gone = await sendAsOwner({ path });
  expect([gone.status, gone.json()['errorCode']]).toEqual([404, 404_201]);
  expect((await tpmDevice(fixture, 'device-1').requestChallenge()).status).toBe(404);
});

test('a registration record is read and deleted', async () => {
  await using fixture = await emulatorFixture();
  await fixture.emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey });
  const device = tpmDevice(fixture, 'device-1');
  const token = await device.solve(await device.requestChallenge());
  await device.register(token);
  const record = '/registrations/device-1?api-version=2021-10-01';
  const read = await fixture.sendAsOwner({ path: record });
  expect(read.json()).toMatchObject({ registrationId: 'device-1', status: 'assigned', deviceId: 'device-1' });
  expect((await fixture.sendAsOwner({ method: 'DELETE', path: record })).status).toBe(204);
  expect((await fixture.sendAsOwner({ path: record })).json()['errorCode']).toBe(404_202);
});

test.each([
  ['no token', {}],
  ['the token of a device', { authorization: 'SharedAccessSignature sr=localhost&sig=AAAA&se=4000000000' }],
])('%s is refused before the body is looked at', async (_title, authorization) => {
  await using fixture = await emulatorFixture();
  const answer = await fixture.send({
    method: 'PUT',
    path,
    headers: { ...headers, ...authorization },
    body: '{',
  });
  expect([answer.status, answer.json()['errorCode']]).toEqual([401, 401_002]);
});

test('a token made out for 127.0.0.1 serves as well as one for localhost', async () => {
  await using fixture = await emulatorFixture();
  const authorization = await ownerToken(fixture.emulator, { resource: '127.0.0.1' });
  const answer = await fixture.send({ path, headers: { authorization } }, fixture.emulator.endpoints.service);
  expect(answer.status).toBe(404);
});

test('the largest enrollment that is accepted can be read again after the device registered', async () => {
  await using fixture = await emulatorFixture();
  const fit = (filler: number): string =>
    JSON.stringify({ ...document, initialTwin: { tags: { filler: 'x'.repeat(filler) } } });
  const large = await fixture.sendAsOwner({ method: 'PUT', path, headers, body: fit(97_000) });
  expect(large.status).toBe(413);
  const accepted = await fixture.sendAsOwner({ method: 'PUT', path, headers, body: fit(93_000) });
  expect(accepted.status).toBe(200);
  const device = tpmDevice(fixture, 'device-1');
  await device.register(await device.solve(await device.requestChallenge()));
  expect((await fixture.sendAsOwner({ path })).json()).toHaveProperty('registrationState');
});
