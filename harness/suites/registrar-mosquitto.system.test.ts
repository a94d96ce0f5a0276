/** Registered devices at a real Mosquitto. Oracle: the broker, which knows nothing of us but what its plugin was told. */
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import type { MosquittoDirectory } from '@endorse/dynamic-registration/server';
import { createMosquittoDirectory } from '@endorse/dynamic-registration/server';
import type { IssuedCredential, RegistrationStore } from '@endorse/dynamic-registration/store';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { Secret } from '@endorse/interface';
import type { MqttClient } from 'mqtt';
import { connect, connectAsync } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { startMosquitto } from './registrar/mosquitto.ts';

/** `once` of node:events does not know mqtt's own types of events. */
function next(emitter: MqttClient, event: 'close' | 'error' | 'message'): Promise<readonly unknown[]> {
  return once(emitter as unknown as EventEmitter, event);
}

async function startScene() {
  const resources = new AsyncDisposableStack();
  const mosquitto = resources.use(await startMosquitto());
  const directory: MosquittoDirectory = resources.use(
    await createMosquittoDirectory(mosquitto.administrator),
  );
  const store: RegistrationStore = resources.use(
    await openStore({
      database: await openSqlite(':memory:'),
      peppers: { 1: Secret.fromBytes(randomBytes(32)) },
      onIssued: (credential) => directory.add(credential),
    }),
  );
  const clients: MqttClient[] = [];
  resources.defer(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)));
  });
  const proof = randomBytes(32);
  const register = async (manufacturerId: string): Promise<IssuedCredential> => {
    const outcome = await store.register({
      token: { reference: 'jti:fleet', issuer: 'example.com' },
      manufacturerId,
      sentId: manufacturerId,
      name: manufacturerId,
      recipe: 'r',
      definition: '{}',
      proof,
    });
    if (!('credential' in outcome)) throw new Error(outcome.outcome);
    return outcome.credential;
  };
  const optionsOf = (credential: IssuedCredential, overrides: object) => ({
    clientId: credential.deviceId,
    username: credential.accessKey,
    password: credential.accessSecret.revealText(),
    reconnectPeriod: 0,
    ...overrides,
  });
  return {
    mosquitto,
    directory,
    store,
    register,
    join: async (credential: IssuedCredential, overrides: object = {}): Promise<MqttClient> => {
      const client = await connectAsync(mosquitto.url, optionsOf(credential, overrides));
      clients.push(client);
      return client;
    },
    /** Code of the refusal. */
    refused: async (credential: IssuedCredential, overrides: object = {}): Promise<unknown> => {
      const client = connect(mosquitto.url, optionsOf(credential, overrides));
      clients.push(client);
      const [error] = (await next(client, 'error')) as readonly [{ code?: unknown }];
      return error.code;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

describe('with the right credentials', () => {
  test.each([4, 5] as const)(
    'a device speaks and hears on its own topics alone, MQTT version %i',
    async (protocolVersion) => {
      await using scene = await startScene();
      const [a, b] = [await scene.register('a'), await scene.register('b')];
      const client = await scene.join(a, { protocolVersion });
      const other = await scene.join(b, { protocolVersion });
      const granted = await client.subscribeAsync(`losant/${a.deviceId}/command`);
      expect(granted.map(({ qos }) => qos)).toEqual([0]);
      for (const topic of [`losant/${b.deviceId}/command`, 'losant/+/command', '#']) {
        await expect(client.subscribeAsync(topic)).rejects.toThrow();
      }
      // What a device may not publish Mosquitto drops in silence: nothing arrives where it would be heard.
      await other.subscribeAsync(`losant/${b.deviceId}/command`);
      const heard: string[] = [];
      other.on('message', (topic) => heard.push(topic));
      await client.publishAsync(`losant/${b.deviceId}/command`, 'forged', { qos: 1 }).catch(() => undefined);
      await client.publishAsync(`losant/${a.deviceId}/state`, '{"data":{}}', { qos: 1 });
      expect(heard).toEqual([]);
    },
  );
});

describe('is refused', () => {
  test.each([
    ['another client id', { clientId: 'another' }],
    ['a wrong secret', { password: 'wrong' }],
  ])('%s', async (_name, overrides) => {
    await using scene = await startScene();
    expect(await scene.refused(await scene.register('a'), overrides)).toBe(5);
  });

  test('the id of one device with the key of another', async () => {
    await using scene = await startScene();
    const [a, b] = [await scene.register('a'), await scene.register('b')];
    expect(await scene.refused(a, { clientId: b.deviceId })).toBe(5);
  });

  test('a revoked key, also one that was revoked while nobody told the broker', async () => {
    await using scene = await startScene();
    const [a, b] = [await scene.register('a'), await scene.register('b')];
    await scene.store.revokeCredential(a.accessKey);
    expect(await scene.directory.reconcile(scene.store)).toBe(1);
    expect(await scene.refused(a)).toBe(5);
    await scene.join(b);
  });

  test('a secret that was issued anew: the lost one is void, the new one is good', async () => {
    await using scene = await startScene();
    scene.directory.follow(scene.store);
    const lost = await scene.register('a');
    const kept = await scene.register('a');
    expect(kept.deviceId).toBe(lost.deviceId);
    await scene.join(kept);
    await expect.poll(() => scene.refused(lost)).toBe(5);
  });
});

test('revocation ends a live session', async () => {
  await using scene = await startScene();
  scene.directory.follow(scene.store);
  const credential = await scene.register('a');
  const client = await scene.join(credential);
  const closed = next(client, 'close');
  await scene.store.revokeCredential(credential.accessKey);
  await closed;
});

test('a broker that is away: no device, and no use of a token', async () => {
  await using scene = await startScene();
  await scene.mosquitto.administrator.endAsync(true);
  await expect(scene.register('a')).rejects.toMatchObject({ code: 'ERR_BROKER_SILENT', retryable: true });
  expect(await scene.store.deviceByManufacturerId('a')).toBeUndefined();
});
