/**
 * The device API over HTTPS, spoken with bare `node:https`. Status codes, header names and body members are those
 * that logs and samples of the real service show: a 401 without `status`, 202 with Retry-After and Location, 7-digit
 * timestamps, `x-ms-request-id` equal to the tracking id, `x-ms-error-code`.
 */
import { expect, test } from 'vitest';
import { base64, emulatorFixture, tpmDevice } from './support/http-client.ts';
import { sas, softwareTpm } from './support/software-tpm.ts';
import { anyNumber, anyString, containing, matching } from './support/matchers.ts';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

test('a TPM registers and its key opens the hub', async () => {
  await using fixture = await emulatorFixture({ retryAfterSeconds: 3 });
  const { emulator, send } = fixture;
  const { endorsementKey, open } = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey, deviceId: 'Device.One' });
  const device = tpmDevice(fixture, 'device-1');

  const challenge = await device.requestChallenge();
  expect(challenge.status).toBe(401);
  expect(challenge.json()).toEqual({
    message: 'Authorization required, resend request using supplied key',
    authenticationKey: anyString,
    unencryptedAuthenticationKey: null,
    keyName: 'registration',
  });
  expect(challenge.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-ms-request-id': matching(guid),
  });
  expect(challenge.headers).not.toHaveProperty('www-authenticate');
  expect(challenge.headers).not.toHaveProperty('x-ms-error-code');

  const token = await device.solve(challenge);
  const accepted = await device.register(token);
  expect(accepted.status).toBe(202);
  expect(accepted.headers).toMatchObject({
    'retry-after': '3',
    location: `${emulator.endpoints.http}${device.path}/register?api-version=2021-06-01`,
  });
  const { operationId } = accepted.json() as { operationId: string };
  expect(accepted.json()).toEqual({ operationId, status: 'assigning' });
  expect(operationId).toMatch(/^5\.[0-9a-f]{16}\.[0-9a-f-]{36}$/);

  const assigned = await device.poll(token, operationId);
  expect(assigned.status).toBe(200);
  expect(assigned.headers).not.toHaveProperty('retry-after');
  const { registrationState: state } = assigned.json() as { registrationState: Record<string, unknown> };
  expect(state).toMatchObject({
    registrationId: 'device-1',
    createdDateTimeUtc: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
    assignedHub: emulator.assignedHub,
    deviceId: 'Device.One',
    status: 'assigned',
    substatus: 'initialAssignment',
    tpm: { authenticationKey: anyString },
  });

  const { authenticationKey } = state['tpm'] as { authenticationKey: string };
  const key = open(Buffer.from(authenticationKey, 'base64'));
  const resource = `${emulator.assignedHub}/devices/Device.One`;
  const authorization = await sas({ resource, key, expiresAt: Date.now() + 60_000 });
  const event = await send(
    {
      method: 'POST',
      path: '/devices/Device.One/messages/events?api-version=2021-04-12',
      headers: { authorization, 'content-type': 'application/json', 'iothub-app-level': 'high' },
      body: '{"t":21.5}',
    },
    emulator.endpoints.hub,
  );
  expect([event.status, event.text]).toEqual([204, '']);
  expect(emulator.telemetry).toEqual([
    {
      hub: emulator.assignedHub,
      deviceId: 'Device.One',
      body: Uint8Array.from(Buffer.from('{"t":21.5}')),
      contentType: 'application/json',
      properties: { level: 'high' },
      enqueuedAt: anyNumber,
    },
  ]);
});

test('while an operation runs, a poll is a 202 with Retry-After and the registration id', async () => {
  await using fixture = await emulatorFixture({ assigningDurationMs: 60_000, retryAfterSeconds: 2 });
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const device = tpmDevice(fixture, 'd');
  const token = await device.solve(await device.requestChallenge());
  const { operationId } = (await device.register(token)).json() as { operationId: string };
  const poll = await device.poll(token, operationId);
  expect([poll.status, poll.headers['retry-after'], poll.headers.location]).toEqual([202, '2', undefined]);
  expect(poll.json()).toEqual({
    operationId,
    status: 'assigning',
    registrationState: { registrationId: 'd', status: 'assigning' },
  });
});

test('a disabled enrollment answers 200 with an empty operation id', async () => {
  await using fixture = await emulatorFixture();
  const { endorsementKey } = softwareTpm();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey,
    provisioningStatus: 'disabled',
  });
  const device = tpmDevice(fixture, 'd');
  const refused = await device.register(await device.solve(await device.requestChallenge()));
  expect(refused.status).toBe(200);
  expect(refused.json()).toEqual({
    operationId: '',
    status: 'disabled',
    registrationState: { registrationId: 'd', status: 'disabled' },
  });
});

test('a token of a device whose clock lags is refused, one of a device whose clock is ahead is not', async () => {
  await using fixture = await emulatorFixture({ clockSkewMs: 3_600_000 });
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const device = tpmDevice(fixture, 'd');
  const challenge = await device.requestChallenge();
  const late = await device.register(await device.solve(challenge, Date.now() + 3_500_000));
  expect([late.status, late.json()['errorCode']]).toEqual([401, 401_002]);
  expect(late.json()['info']).toEqual({ reason: containing('expired') });
  const early = await device.register(await device.solve(challenge, Date.now() + 7_200_000));
  expect(early.status).toBe(202);
});

test('an error has a tracking id, a time and a code, in body and headers', async () => {
  await using fixture = await emulatorFixture();
  const answer = await tpmDevice(fixture, 'nobody').requestChallenge();
  expect(answer.status).toBe(404);
  expect(answer.json()).toEqual({
    errorCode: 404_201,
    trackingId: answer.headers['x-ms-request-id'],
    message: 'Enrollment not found',
    info: { reason: 'there is no enrollment nobody' },
    timestampUtc: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
  });
  expect(answer.headers).toMatchObject({
    'x-ms-error-code': '404201',
    'x-ms-request-id': matching(guid),
  });
});

test.each([
  [
    'another case in the path',
    (path: string) => path.replace('registrations', 'Registrations').toUpperCase(),
  ],
  ['a trailing slash', (path: string) => `${path}/`],
  ['percent-encoding', (path: string) => path.replace('device-1', 'dev%69ce%2D1')],
])('%s makes no difference', async (_title, change) => {
  await using fixture = await emulatorFixture();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'device-1',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const { path, body, headers } = tpmDevice(fixture, 'device-1');
  for (const version of ['2019-03-31', '2021-10-01', '2025-07-01-preview']) {
    const target = `${change(`${path}/register`)}?api-version=${version}&forceRegistration=true`;
    expect((await fixture.send({ method: 'PUT', path: target, headers, body })).status).toBe(401);
  }
});

test('content-encoding utf-8, an odd user agent header and a chunked body are accepted', async () => {
  await using fixture = await emulatorFixture();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const { path, body } = tpmDevice(fixture, 'd');
  const headers = {
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    UserAgent: 'prov_device_client/1.0',
    'transfer-encoding': 'chunked',
  };
  const answer = await fixture.send({
    method: 'PUT',
    path: `${path}/register?api-version=2021-06-01`,
    headers,
    body,
  });
  expect(answer.json()).toHaveProperty('authenticationKey');
});

test('the status look-up of a registered device tells its state without a key', async () => {
  await using fixture = await emulatorFixture();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const device = tpmDevice(fixture, 'd');
  const authorization = await device.solve(await device.requestChallenge());
  await device.register(authorization);
  const headers = { ...device.headers, authorization };
  const state = await fixture.send({
    method: 'POST',
    path: `${device.path}?api-version=2021-06-01`,
    headers,
    body: '{}',
  });
  expect(state.json()).toMatchObject({
    registrationId: 'd',
    status: 'assigned',
    assignedHub: fixture.emulator.assignedHub,
  });
  expect(state.json()).not.toHaveProperty('tpm');
});

test('one connection serves a whole registration', async () => {
  await using fixture = await emulatorFixture();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'd',
    endorsementKey: softwareTpm().endorsementKey,
  });
  const device = tpmDevice(fixture, 'd');
  const challenge = await device.requestChallenge();
  expect(challenge.headers.connection).toBe('keep-alive');
  const token = await device.solve(challenge);
  expect((await device.register(token)).headers.connection).toBe('keep-alive');
});

test('emulators in one process know nothing of each other', async () => {
  await using one = await emulatorFixture();
  await using two = await emulatorFixture({ idScope: '0neTwo' });
  const { endorsementKey } = softwareTpm();
  await one.emulator.createTpmEnrollment({ registrationId: 'd', endorsementKey });
  expect((await tpmDevice(one, 'd').requestChallenge()).status).toBe(401);
  expect((await tpmDevice(two, 'd').requestChallenge()).json()['errorCode']).toBe(404_201);
  expect(one.emulator.caPem).not.toBe(two.emulator.caPem);
});

test('no answer, event or log line holds a token or a key', async () => {
  const lines: string[] = [];
  await using fixture = await emulatorFixture({
    logger: { log: (...line) => void lines.push(JSON.stringify(line)) },
    onEvent: (event) => void lines.push(JSON.stringify(event)),
  });
  const { emulator } = fixture;
  const tpm = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'd', endorsementKey: tpm.endorsementKey });
  const device = tpmDevice(fixture, 'd');
  const challenge = await device.requestChallenge();
  const key = tpm.open(Buffer.from(String(challenge.json()['authenticationKey']), 'base64'));
  const token = await device.solve(challenge);
  const stale = token.replace(/se=\d+/, 'se=4000000000');
  const refused = await device.register(stale);
  expect(refused.status).toBe(401);
  lines.push(refused.text);
  await device.register(token);
  const signature = /sig=([^&]+)/.exec(token)?.[1] ?? '';
  expect(lines.length).toBeGreaterThan(6);
  for (const secret of [
    token,
    stale,
    signature,
    decodeURIComponent(signature),
    base64(key),
    Buffer.from(key).toString('hex'),
  ]) {
    expect(lines.join('\n')).not.toContain(secret);
  }
  expect(lines.join('\n')).not.toContain(
    emulator.serviceConnectionString.revealText().split('SharedAccessKey=')[1],
  );
});
