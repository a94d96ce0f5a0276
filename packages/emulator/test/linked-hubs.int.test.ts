/** Several hubs over HTTPS: each is where `assignedHub` says, lets in its own devices only, and is found again on its port. Web-hooks are asked over HTTP. */
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { EmulatorFixture } from './support/http-client.ts';
import { emulatorFixture } from './support/http-client.ts';
import { matching } from './support/matchers.ts';
import { deviceToken, sas } from './support/software-tpm.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const key = Buffer.alloc(32, 3);
const json = { 'content-type': 'application/json' };
const expiresAt = Date.now() + 3_600_000;

async function enroll({ sendAsOwner }: EmulatorFixture, registrationId: string, more: object): Promise<void> {
  const symmetricKey = { primaryKey: key.toString('base64'), secondaryKey: key.toString('base64') };
  const { status, text } = await sendAsOwner({
    method: 'PUT',
    path: `/enrollments/${registrationId}?api-version=2021-10-01`,
    headers: json,
    body: JSON.stringify({ registrationId, attestation: { type: 'symmetricKey', symmetricKey }, ...more }),
  });
  expect([status, text]).toEqual([200, text]);
}

/** Registers, and polls as often as the emulator says it is assigning. */
async function register({ emulator, send }: EmulatorFixture, registrationId: string) {
  const { idScope } = emulator;
  const authorization = await deviceToken({ idScope, registrationId, key, expiresAt });
  const path = `/${idScope}/registrations/${registrationId}`;
  const headers = { ...json, authorization };
  const accepted = await send({
    method: 'PUT',
    path: `${path}/register?api-version=2021-06-01`,
    headers,
    body: '{}',
  });
  for (;;) {
    const operation = `${path}/operations/${String(accepted.json()['operationId'])}?api-version=2021-06-01`;
    const answer = await send({ path: operation, headers });
    if (answer.status !== 202) return answer.json()['registrationState'] as Record<string, unknown>;
  }
}

async function sendEvent({ send }: EmulatorFixture, hub: string, deviceId: string): Promise<number> {
  const authorization = await sas({ resource: `${hub}/devices/${deviceId}`, key, expiresAt });
  const path = `/devices/${deviceId}/messages/events?api-version=2021-04-12`;
  return (await send({ method: 'POST', path, headers: { authorization }, body: 'x' }, `https://${hub}`))
    .status;
}

test('every hub is where assignedHub says, and takes its own devices only', async () => {
  await using fixture = await emulatorFixture({
    hubs: [{ name: 'east' }, { name: 'west' }, { name: 'north' }],
  });
  const { hubs, telemetry } = fixture.emulator;
  expect(hubs.map(({ name }) => name)).toEqual(['east', 'west', 'north']);
  expect(new Set(hubs.map(({ hostName }) => hostName)).size).toBe(3);
  for (const { name, hostName } of hubs) {
    await enroll(fixture, `device-${name}`, { allocationPolicy: 'static', iotHubs: [hostName] });
    expect(await register(fixture, `device-${name}`)).toMatchObject({
      status: 'assigned',
      assignedHub: hostName,
    });
    const statuses = hubs.map((hub) => sendEvent(fixture, hub.hostName, `device-${name}`));
    expect(await Promise.all(statuses)).toEqual(hubs.map((hub) => (hub.name === name ? 204 : 401)));
  }
  expect(telemetry).toEqual([]);
  expect(fixture.emulator.telemetry.map(({ hub }) => hub)).toEqual(hubs.map(({ hostName }) => hostName));
});

test('hubs come back on their ports with their devices and twins; one that is added gets a port of its own', async () => {
  await using directory = await temporaryDirectory();
  const dataDirectory = directory.path;
  const before = await (async () => {
    await using fixture = await emulatorFixture({
      dataDirectory,
      hubs: [{ name: 'east' }, { name: 'west' }],
    });
    await enroll(fixture, 'dev', {
      allocationPolicy: 'static',
      iotHubs: ['west'],
      initialTwin: { tags: { a: 1 } },
    });
    await register(fixture, 'dev');
    return fixture.emulator.hubs.map(({ hostName }) => hostName);
  })();
  const hubs = [{ name: 'north' }, { name: 'west' }, { name: 'east' }];
  await using fixture = await emulatorFixture({ dataDirectory, hubs });
  const [north, west, east] = fixture.emulator.hubs;
  expect([east?.hostName, west?.hostName]).toEqual(before);
  expect(before).not.toContain(north?.hostName);
  expect(await west?.operator.readTwin('dev')).toMatchObject({ tags: { a: 1 } });
  expect(await sendEvent(fixture, west?.hostName ?? '', 'dev')).toBe(204);
});

interface HookServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly target: string; readonly body: Record<string, unknown> }[];
}

async function startHook(answer: (response: ServerResponse) => void): Promise<HookServer> {
  const requests: HookServer['requests'] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      requests.push({ target: `${request.method} ${request.url}`, body });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/allocate?code=x`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const custom = (webhookUrl: string) => ({
  allocationPolicy: 'custom',
  customAllocationDefinition: { webhookUrl, apiVersion: '2021-10-01' },
});

test('a web-hook is asked over HTTP and decides', async () => {
  await using fixture = await emulatorFixture({ hubs: [{ name: 'east' }, { name: 'west' }] });
  const [, west] = fixture.emulator.hubs;
  const answer = JSON.stringify({ iotHubHostName: west?.hostName, payload: ['hi'] });
  await using hook = await startHook((response) => void response.end(answer));
  await enroll(fixture, 'dev', custom(hook.url));
  expect(await register(fixture, 'dev')).toMatchObject({ assignedHub: west?.hostName, payload: ['hi'] });
  expect(hook.requests).toMatchObject([
    {
      target: 'POST /allocate?code=x&api-version=2021-10-01',
      body: { deviceRuntimeContext: { registrationId: 'dev' } },
    },
  ]);
});

test.each([
  ['that does not answer in time', () => undefined, /within 50 ms/],
  ['that answers without end', flood, /exceeds 98304 bytes/],
  [
    'that hangs up',
    (response: ServerResponse) => void response.destroy(),
    /other side closed|socket hang up|terminated/,
  ],
  [
    'that redirects',
    (response: ServerResponse) => void response.writeHead(302, { location: '/x' }).end(),
    /status code: 302/,
  ],
])('a web-hook %s fails the registration with 400207', async (_title, answer, message) => {
  await using hook = await startHook(answer);
  await using fixture = await emulatorFixture({
    webHookTimeoutMs: message.source.includes('50') ? 50 : 10_000,
  });
  await enroll(fixture, 'dev', custom(hook.url));
  expect(await register(fixture, 'dev')).toMatchObject({
    status: 'failed',
    errorCode: 400_207,
    errorMessage: matching(message),
  });
});

function flood(response: ServerResponse): void {
  const chunk = 'x'.repeat(65_536);
  const write = (): void => {
    if (!response.destroyed && response.write(chunk)) setImmediate(write);
    else response.once('drain', write);
  };
  write();
}

test('an emulator that stops does not wait for a web-hook', async () => {
  await using hook = await startHook(() => undefined);
  const fixture = await emulatorFixture({ webHookTimeoutMs: 60_000 });
  await enroll(fixture, 'dev', custom(hook.url));
  const { idScope } = fixture.emulator;
  const authorization = await deviceToken({ idScope, registrationId: 'dev', key, expiresAt });
  const path = `/${idScope}/registrations/dev/register?api-version=2021-06-01`;
  await fixture.send({ method: 'PUT', path, headers: { ...json, authorization }, body: '{}' });
  await fixture[Symbol.asyncDispose]();
  // Nothing is left that would keep the process alive, or complain about a closed store.
  await new Promise(setImmediate);
});
