/** A device that registers itself, told step by step: a token, a lost reply, a clone, a broker, a revocation. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceCredentials, DeviceProgress } from '@endorse/dynamic-registration/client';
import { ensureRegistered } from '@endorse/dynamic-registration/client';
import type { RegistrationHandler, ServerCertificate } from '@endorse/dynamic-registration/server';
import {
  createAedesAuthenticator,
  createRegistrationHandler,
  issueServerCertificate,
  startRegistrar,
} from '@endorse/dynamic-registration/server';
import type { RegistrationStore } from '@endorse/dynamic-registration/store';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { createAsymmetricTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import { Secret, TransportError } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { Aedes } from 'aedes';
import type { MqttClient } from 'mqtt';
import { connectAsync } from 'mqtt';
import type { ScenarioOptions } from './scene.ts';
import { expectRefusal } from './scene.ts';
import { Story } from './story.ts';

const manufacturerId = 'SN-000042';

/** How long the device waits for the reply that gets lost, in milliseconds. */
const attemptTimeoutMs = 1_000;

/** Runs the story to its end. Rejects when anything does not go as told. */
export async function runDynamicScenario({ emit, signal }: ScenarioOptions): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'endorse-demo-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));

  story.step('The registrar', 'one handler, over TLS with a CA of its own, on an SQLite store');
  const certificate = await issueServerCertificate(folder, ['localhost'], Date.now());
  const peppers = { 1: Secret.fromBytes(randomBytes(32)) };
  const store = resources.use(await openStore({ database: await openSqlite(':memory:'), peppers }));
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = createAsymmetricTokenKey({ issuer: 'example.com', keyId: 'demo', key: privateKey });
  let url = '';
  const handler = createRegistrationHandler({ store, keys: [key], audience: () => [url] });
  const line = losingTheFirstReply(handler);
  resources.defer(async () => line.release());
  const registrar = resources.use(await startRegistrar({ handler: line.handler, certificate, drainMs: 100 }));
  url = `${registrar.origin}/api/register-device`;
  story.happened('registrar listens', url);
  const broker = resources.use(await startBroker(store, certificate));
  story.happened('broker listens', broker.url);

  story.step('The operator mints a token', 'the same for every device');
  const { token, reference } = await mintToken({
    key,
    url,
    broker: broker.url,
    maxUses: 2,
    idPattern: 'SN-######',
    expiresInMs: 3_600_000,
    now: Date.now(),
    random: systemRandom,
  });
  story.happened('token minted', `${reference}, two devices, ids like SN-######`);

  story.step('The device registers', 'and its first reply is lost on the way');
  const boot = (stateFile: string): Promise<DeviceCredentials> =>
    ensureRegistered({
      token,
      manufacturerId,
      stateFile: join(folder, stateFile),
      ca: certificate.caPem,
      attemptTimeoutMs,
      signal,
      onProgress: (progress) => tell(story, progress),
    });
  const device = await boot('device.json');
  line.release();
  const [seen] = await collect(store.devices());
  if (seen === undefined || seen.deviceId !== device.deviceId) throw new Error('there is another device');
  story.fact('registered', `${device.deviceId}; ${seen.attempts} attempts, one device`);

  story.step('The device boots again', 'and needs no registrar');
  const again = await boot('device.json');
  if (again.source !== 'stored') throw new Error('the device registered twice');
  story.happened('credentials read', `the same device, ${again.deviceId}`);

  story.step('A clone', 'the same firmware and the same id, without the proof');
  await expectRefusal(story, 'clone', () => boot('clone.json'));

  story.step('The device talks to the broker', 'client id, access key and secret belong together');
  const session = await connectDevice(broker.url, device, certificate);
  resources.defer(() => session.endAsync(true));
  const published = once(broker.aedes, 'publish');
  await session.publishAsync(`losant/${device.deviceId}/state`, '{"data":{"running":1}}', { qos: 1 });
  await published;
  story.happened('state published', `losant/${device.deviceId}/state`);
  await expectRefusal(story, 'another-client-id', () =>
    connectDevice(broker.url, { ...device, deviceId: 'another' }, certificate),
  );

  story.step('The operator revokes the device', 'and its session ends');
  const closed = once(session as unknown as EventEmitter, 'close');
  await store.revokeDevice(device.deviceId);
  await closed;
  story.happened('session ended', 'by the broker');
  await expectRefusal(story, 'revoked', () => connectDevice(broker.url, device, certificate));
}

/** Holds the first reply of a registration back until it is released: the registrar has done its work by then. */
function losingTheFirstReply(handler: RegistrationHandler): {
  readonly handler: RegistrationHandler;
  readonly release: () => void;
} {
  const released = Promise.withResolvers<void>();
  let isFirst = true;
  return {
    release: () => released.resolve(),
    handler: async (request, context) => {
      const response = await handler(request, context);
      if (isFirst && response.headers.has('registration-outcome')) {
        isFirst = false;
        await released.promise;
      }
      return response;
    },
  };
}

async function startBroker(store: RegistrationStore, certificate: ServerCertificate) {
  const authenticator = createAedesAuthenticator({ store });
  const aedes = await Aedes.createBroker({ ...authenticator.handlers });
  aedes.on('clientDisconnect', (client) => authenticator.forget(client));
  const server = createServer(
    { cert: certificate.certificatePem, key: certificate.privateKeyPem },
    (socket) => void aedes.handle(socket),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    aedes,
    url: `mqtts://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await authenticator.stop();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function connectDevice(
  url: string,
  device: Pick<DeviceCredentials, 'deviceId' | 'accessKey' | 'accessSecret'>,
  { caPem }: ServerCertificate,
): Promise<MqttClient> {
  try {
    return await connectAsync(url, {
      clientId: device.deviceId,
      username: device.accessKey,
      password: device.accessSecret.revealText(),
      ca: caPem,
      reconnectPeriod: 0,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TransportError('ERR_TRANSPORT_CLOSED', `the broker refused: ${reason}`, {
      cause,
      phase: 'connect',
      retryable: false,
    });
  }
}

function tell(story: Story, progress: DeviceProgress): void {
  switch (progress.event) {
    case 'state-written':
      story.happened('proof written', 'before the first request');
      return;
    case 'request-sent':
      story.happened('request sent', `attempt ${progress.attempt}`);
      return;
    case 'retry-scheduled':
      story.happened('no reply', `${progress.code}; trying again in ${progress.delayMs} ms`);
      return;
    case 'reply-received':
      story.happened('reply received', `device ${progress.deviceId}`);
      return;
    case 'credentials-stored':
      story.happened('credentials stored', 'mode 0600, on the disk');
      return;
    case 'acknowledged':
      story.happened('acknowledged', 'the secret will not be issued again');
      return;
    default:
      progress satisfies never;
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
