/**
 * What the listeners do with requests that are wrong, huge, slow or no HTTP at all. Never a 500, never a crash, and
 * the next request is served. Statuses are the documented ones (400, 401, 404, 405, 415) and RFC 9110's for the rest.
 */
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EmulatorFixture } from './support/http-client.ts';
import { emulatorFixture, tpmDevice } from './support/http-client.ts';
import { sas, softwareTpm } from './support/software-tpm.ts';
import { anyNumber, anyString, containing } from './support/matchers.ts';

const register = '/0ne00000000/registrations/d/register?api-version=2021-06-01';
const json = { 'content-type': 'application/json' };

test.each([
  ['no JSON', { body: '{"registrationId"' }, 400, 400_004],
  ['a JSON array', { body: '[]' }, 400, 400_004],
  ['bytes that are no UTF-8', { body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }, 400, 400_004],
  [
    'JSON nested too deeply',
    { body: '{"payload":'.concat('['.repeat(100), ']'.repeat(100), '}') },
    400,
    400_004,
  ],
  ['an endorsement key that is no base64', { body: '{"tpm":{"endorsementKey":"*"}}' }, 400, 400_004],
  ['an endorsement key of another type', { body: '{"tpm":{"endorsementKey":7}}' }, 400, 400_004],
  ['another registration id in the body', { body: '{"registrationId":"e"}' }, 400, 400_004],
  ['an empty body and no token', { body: '' }, 401, 401_002],
  ['another media type', { headers: { 'content-type': 'text/plain' } }, 415, 415_000],
  [
    'another character set',
    { headers: { 'content-type': 'application/json; charset=utf-16' } },
    415,
    415_000,
  ],
  ['no media type', { headers: {} }, 415, 415_000],
  ['a compressed body', { headers: { ...json, 'content-encoding': 'gzip' } }, 415, 415_000],
  ['more than 96 KiB', { body: `{"payload":"${'x'.repeat(98_304)}"}` }, 413, 413_000],
  ['another method', { method: 'POST' }, 405, 405_000],
  ['no api-version', { path: '/0ne00000000/registrations/d/register' }, 400, 400_000],
  ['an odd api-version', { path: register.replace('2021-06-01', 'latest') }, 400, 400_000],
  ['bad percent-encoding', { path: register.replace('/d/', '/%zz/') }, 400, 400_000],
  ['a registration id that is none', { path: register.replace('/d/', '/a%20b/') }, 400, 400_000],
  ['a path too long for anyone', { path: register.replace('/d/', `/${'d'.repeat(5000)}/`) }, 413, 413_000],
  ['a path of nobody', { path: '/' }, 404, 404_000],
  ['a token that is none', { headers: { ...json, authorization: 'SharedAccessSignature sr' } }, 401, 401_002],
] as const)('a register request with %s is answered %4$s', async (_title, change, status, errorCode) => {
  await using fixture = await emulatorFixture();
  const { send, emulator } = fixture;
  await emulator.createTpmEnrollment({ registrationId: 'd', endorsementKey: softwareTpm().endorsementKey });
  const answer = await send({ method: 'PUT', path: register, headers: json, body: '{}', ...change });
  expect([answer.status, answer.json()['errorCode']]).toEqual([status, errorCode]);
  expect(answer.json()).toMatchObject({
    trackingId: answer.headers['x-ms-request-id'],
    message: anyString,
    timestampUtc: anyString,
  });
  expect((await tpmDevice(fixture, 'd').requestChallenge()).status).toBe(401);
});

test('a 405 names the methods that would do', async () => {
  await using fixture = await emulatorFixture();
  const wrong = await fixture.send({ method: 'DELETE', path: register });
  expect(wrong.headers.allow).toBe('PUT');
  const other = await fixture.send({ method: 'PATCH', path: '/enrollments/d?api-version=2021-10-01' });
  expect(other.headers.allow).toBe('GET, PUT, DELETE');
});

test('a refusal that never reaches the core is reported as well', async () => {
  const refused: string[] = [];
  await using fixture = await emulatorFixture({
    onEvent: (event) => void refused.push(JSON.stringify(event)),
  });
  await fixture.send({ method: 'PUT', path: register, headers: json, body: '{' });
  expect(JSON.parse(refused[0] ?? '{}')).toMatchObject({
    event: 'request-refused',
    operation: 'register',
    status: 400,
  });
});

test.each([
  ['another method', { method: 'PUT' }, 405, 'MethodNotAllowed'],
  ['another path', { path: '/devices/d/twin' }, 404, 'NotFound'],
  ['no api-version', { path: '/devices/d/messages/events' }, 400, 'ArgumentInvalid'],
  ['no token', {}, 401, 'IotHubUnauthorizedAccess'],
  ['more than 256 KiB', { body: 'x'.repeat(262_145) }, 413, 'MessageTooLarge'],
] as const)('an event with %s is refused the way the hub does', async (_title, change, status, code) => {
  await using fixture = await emulatorFixture();
  const path = '/devices/d/messages/events?api-version=2021-04-12';
  const { endpoints } = fixture.emulator;
  const answer = await fixture.send({ method: 'POST', path, body: '{}', ...change }, endpoints.hub);
  expect([answer.status, answer.headers['iothub-errorcode']]).toEqual([status, code]);
  expect(answer.json()).toEqual({
    Message: containing(`ErrorCode:${code};`),
    ExceptionMessage: containing('Tracking ID:'),
  });
});

test('an event of exactly 256 KiB is accepted', async () => {
  await using fixture = await emulatorFixture();
  const tpm = softwareTpm();
  const { emulator, send } = fixture;
  await emulator.createTpmEnrollment({ registrationId: 'd', endorsementKey: tpm.endorsementKey });
  const device = tpmDevice(fixture, 'd');
  const token = await device.solve(await device.requestChallenge());
  const { operationId } = (await device.register(token)).json() as { operationId: string };
  const { registrationState } = (await device.poll(token, operationId)).json() as {
    registrationState: { tpm: { authenticationKey: string } };
  };
  const key = tpm.open(Buffer.from(registrationState.tpm.authenticationKey, 'base64'));
  const authorization = await sas({
    resource: `${emulator.assignedHub}/devices/d`,
    key,
    expiresAt: Date.now() + 60_000,
  });
  const path = '/devices/d/messages/events/?api-version=2021-04-12';
  const body = 'x'.repeat(262_144);
  const answer = await send(
    { method: 'POST', path, headers: { authorization }, body },
    emulator.endpoints.hub,
  );
  expect(answer.status).toBe(204);
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  [
    'a length and chunks at once',
    'PUT / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    /^HTTP\/1\.1 400 /,
  ],
])('%s is answered with an error body and the connection is closed', async (_title, bytes, statusLine) => {
  await using fixture = await emulatorFixture();
  const socket = await openTls(fixture);
  socket.write(bytes);
  const text = await readAll(socket);
  expect(text).toMatch(statusLine);
  expect(text.toLowerCase()).toContain('connection: close');
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ errorCode: anyNumber });
});

test('plain HTTP on the TLS port is dropped, and the next client is served', async () => {
  await using fixture = await emulatorFixture();
  const socket = connectPlain(Number(new URL(fixture.emulator.endpoints.http).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(socket, 'close');
  expect((await fixture.send({ path: '/' })).status).toBe(404);
});

test('a body without end is cut off with a 413', async () => {
  await using fixture = await emulatorFixture();
  const socket = await openTls(fixture);
  socket.write(`PUT ${register} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n`);
  const answered = readAll(socket);
  const chunk = Buffer.alloc(65_536, 'x');
  for (let sent = 0; sent < 10_000_000 && socket.writable; sent += chunk.byteLength) {
    if (!socket.write(chunk))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answered]);
  }
  expect(await answered).toMatch(/^HTTP\/1\.1 413 /);
});

test('a client that goes away in the middle of a body leaves the next one alone', async () => {
  await using fixture = await emulatorFixture();
  for (const base of [fixture.emulator.endpoints.http, fixture.emulator.endpoints.hub]) {
    const socket = await openTls(fixture, base);
    socket.write(`PUT ${register} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"regis`);
    socket.destroy();
    await once(socket, 'close');
    expect((await fixture.send({ path: '/' }, base)).status).toBe(404);
  }
});

test('whatever bytes arrive, the answer is no 5xx and the next client is served', async () => {
  await using fixture = await emulatorFixture();
  const good = `PUT ${register} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
  const bent = fc
    .record({ at: fc.nat(good.length), length: fc.nat(30), by: fc.uint8Array({ maxLength: 20 }) })
    .map(({ at, length, by }) =>
      Buffer.concat([Buffer.from(good.slice(0, at)), by, Buffer.from(good.slice(at + length))]),
    );
  const bytes = fc.oneof({ weight: 3, arbitrary: bent }, fc.uint8Array({ maxLength: 200 }));
  const statuses = await Promise.all(
    fc.sample(bytes, 60).map(async (each) => {
      const socket = await openTls(fixture);
      socket.end(each);
      return (await readAll(socket)).slice(0, 12);
    }),
  );
  expect(statuses.filter((status) => !/^(?:HTTP\/1\.1 [1234]\d\d)?$/.test(status))).toEqual([]);
  expect(statuses.filter((status) => status.startsWith('HTTP/1.1 4')).length).toBeGreaterThan(30);
  expect((await fixture.send({ path: '/' })).status).toBe(404);
});

test('stopping drops idle, half-sent and half-shaken connections at once, and twice is once', async () => {
  const fixture = await emulatorFixture();
  const idle = await openTls(fixture);
  const halfSent = await openTls(fixture);
  halfSent.write('PUT / HTTP/1.1\r\n');
  const { port } = new URL(fixture.emulator.endpoints.hub);
  const halfShaken = connectPlain(Number(port), '127.0.0.1');
  await once(halfShaken, 'connect');
  const closed = Promise.all(
    [idle, halfSent, halfShaken].map((socket) =>
      once(
        socket.on('error', () => undefined),
        'close',
      ),
    ),
  );
  await Promise.all([fixture.emulator.stop(), fixture.emulator.stop()]);
  await closed;
  await fixture[Symbol.asyncDispose]();
});

async function openTls({ emulator }: EmulatorFixture, base = emulator.endpoints.http): Promise<TLSSocket> {
  const { port } = new URL(base);
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: emulator.caPem,
  });
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything until the peer closes; a reset after the answer ends it too. */
async function readAll(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
