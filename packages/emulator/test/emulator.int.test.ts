/** Starting and being reached: names, addresses, ports, TLS. Trust and host names are judged by `node:tls`. */
import { once } from 'node:events';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { startEmulator } from '@endorse/emulator';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { parseServiceConnectionString } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { emulatorFixture, sendRaw } from './support/http-client.ts';
import { containing, matching } from './support/matchers.ts';

test('what is handed out is what is listened on', async () => {
  await using fixture = await emulatorFixture();
  const { emulator } = fixture;
  expect(emulator.idScope).toBe('0ne00000000');
  expect(emulator.provisioningHost).toMatch(/^localhost:\d+$/);
  expect(emulator.endpoints).toEqual({
    amqp: expect.stringMatching(/^amqps:\/\/localhost:\d+$/) as unknown,
    mqtt: expect.stringMatching(/^mqtts:\/\/localhost:\d+$/) as unknown,
    http: `https://${emulator.provisioningHost}`,
    service: `https://${emulator.provisioningHost}`,
    hub: `https://${emulator.assignedHub}`,
  });
  const connection = parseServiceConnectionString(emulator.serviceConnectionString.revealText());
  expect(connection).toMatchObject({
    hostName: emulator.provisioningHost,
    sharedAccessKeyName: 'provisioningserviceowner',
  });
  expect(JSON.stringify(emulator)).not.toContain(connection.sharedAccessKey.revealText());
  expect(emulator).not.toHaveProperty('caFile');
});

test('every name of the certificate is served, others are not, and nobody is trusted without the CA', async () => {
  await using fixture = await emulatorFixture({ hostnames: ['global.azure-devices-provisioning.net'] });
  const { emulator } = fixture;
  const { port } = new URL(emulator.endpoints.http);
  const reach = async (servername: string, ca: string | undefined = emulator.caPem): Promise<string> => {
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      servername,
      ...(ca === '' ? {} : { ca }),
    });
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol() ?? '';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    } finally {
      socket.destroy();
    }
  };
  expect(await reach('localhost')).toBe('TLSv1.3');
  expect(await reach('global.azure-devices-provisioning.net')).toBe('TLSv1.3');
  expect(await reach('other.azure-devices-provisioning.net')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  expect(await reach('localhost', '')).toMatch(/SIGNATURE|ISSUER|SELF_SIGNED|LEAF/);
});

test.each(['TLSv1.1', 'TLSv1.2'] as const)('%s is refused only below 1.2', async (version) => {
  await using fixture = await emulatorFixture();
  const { port } = new URL(fixture.emulator.endpoints.http);
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: fixture.emulator.caPem,
    minVersion: 'TLSv1.1',
    maxVersion: version,
    // OpenSSL leaves out old versions at its default security level, so that it would never ask.
    ciphers: 'DEFAULT:@SECLEVEL=0',
  });
  const outcome = await once(socket, 'secureConnect').then(
    () => 'open',
    () => 'refused',
  );
  socket.destroy();
  expect(outcome).toBe(version === 'TLSv1.2' ? 'open' : 'refused');
});

test('a second connection resumes the TLS session', async () => {
  await using fixture = await emulatorFixture();
  const { port } = new URL(fixture.emulator.endpoints.http);
  const options = {
    port: Number(port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: fixture.emulator.caPem,
  };
  const first = connect(options);
  const [session] = (await once(first, 'session')) as [Buffer];
  first.destroy();
  const second = connect({ ...options, session });
  await once(second, 'secureConnect');
  expect(second.isSessionReused()).toBe(true);
  second.destroy();
});

test.each([
  ['::1', /^\[::1\]:\d+$/],
  ['127.0.0.2', /^127\.0\.0\.2:\d+$/],
  ['localhost', /^localhost:\d+$/],
])('an emulator on %s hands out what leads there', async (bind, handedOut) => {
  await using emulator = await startEmulator({ bind });
  expect(emulator.assignedHub).toMatch(handedOut);
  const agent = new Agent({ ca: emulator.caPem });
  try {
    expect((await sendRaw(emulator.endpoints.hub, agent, { path: '/' })).status).toBe(404);
  } finally {
    agent.destroy();
  }
});

test('the advertised host goes into everything that is handed out and into the certificate', async () => {
  await using emulator = await startEmulator({ advertisedHost: 'Emulator.Lab', hostnames: ['10.0.0.7'] });
  expect(emulator.provisioningHost).toMatch(/^emulator\.lab:\d+$/);
  expect(emulator.assignedHub).toMatch(/^emulator\.lab:\d+$/);
  const { port } = new URL(emulator.endpoints.http);
  const agent = new Agent({ ca: emulator.caPem, servername: 'emulator.lab' });
  const answer = await sendRaw(`https://127.0.0.1:${port}`, agent, { path: '/' });
  agent.destroy();
  expect(answer.status).toBe(404);
});

test('a port that is taken is an error with a remedy, whichever of the two it is', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  for (const options of [{ httpPort: port }, { hubPort: port }]) {
    await expect(startEmulator(options)).rejects.toMatchObject({
      code: 'ERR_EMULATOR_LISTEN',
      remedy: containing('another port'),
      message: containing(String(port)),
    });
  }
  taken.close();
});

test.each([
  ['bind', { bind: '0.0.0.0' }, /other machines can reach/],
  ['bind', { bind: '::' }, /allowNonLoopback/],
  ['bind', { bind: '10.1.2.3' }, /10\.1\.2\.3/],
  ['bind', { bind: 'example.com' }, /IP address/],
  ['httpPort', { httpPort: 65_536 }, /0 to 65535/],
  ['hubPort', { hubPort: 1.5 }, /0 to 65535/],
  ['hostnames', { hostnames: ['https://x'] }, /host names/],
  ['advertisedHost', { advertisedHost: 'x:1' }, /host names/],
  ['advertisedHost', { advertisedHost: '*.lab' }, /one host/],
  ['clockSkewMs', { clockSkewMs: Number.NaN }, /milliseconds/],
  ['idScope', { idScope: '' }, /idScope must/],
  ['policies', { policies: [] }, /at least one/],
  ['retryAfterSeconds', { retryAfterSeconds: 3601 }, /0 to 3600/],
])('the option %s is checked before anything else: %j', async (argument, options, message) => {
  await expect(startEmulator(options)).rejects.toMatchObject({
    argument: `options.${argument}`,
    message: matching(message),
  });
});

test('a non-loopback address is bound when it is meant', async () => {
  await using emulator = await startEmulator({ bind: '0.0.0.0', allowNonLoopback: true });
  expect(emulator.provisioningHost).toMatch(/^localhost:\d+$/);
});

test('fixed ports are free again once the emulator has stopped', async () => {
  const first = await startEmulator();
  const httpPort = Number(new URL(first.endpoints.http).port);
  await first.stop();
  await using second = await startEmulator({ httpPort });
  expect(Number(new URL(second.endpoints.http).port)).toBe(httpPort);
});

test('an emulator starts in less than half a second', async () => {
  const startedAt = performance.now();
  await using emulator = await startEmulator();
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect(emulator.telemetry).toEqual([]);
});

test('a store that fails is a 500 that says so, and not the end of the process', async () => {
  const failing = (): never => {
    throw new Error('disk full');
  };
  const { enrollments, ...store } = createMemoryStore();
  await using fixture = await emulatorFixture({
    store: { ...store, enrollments: { ...enrollments, get: failing } },
  });
  const answer = await fixture.sendAsOwner({ path: '/enrollments/d?api-version=2021-10-01' });
  expect([answer.status, answer.json()['info']]).toEqual([500, { reason: 'Error: disk full' }]);
});

test('the owner of the hub gets typed errors for what the hub refuses', async () => {
  await using fixture = await emulatorFixture();
  const { hub } = fixture.emulator;
  expect(hub.connectedDevices).toEqual([]);
  const notFound = { code: 'ERR_EMULATOR_DEVICE_NOT_FOUND' };
  await expect(hub.readTwin('nobody')).rejects.toMatchObject(notFound);
  await expect(hub.patchDesired('nobody', {})).rejects.toMatchObject(notFound);
  await expect(hub.invokeMethod('nobody', { methodName: 'm' })).rejects.toMatchObject(notFound);
});
