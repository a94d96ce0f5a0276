/** Oracle: the clients are of the package `mqtt`, the broker is aedes; neither knows of us. */
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import type { MqttClient } from 'mqtt';
import { connect, connectAsync } from 'mqtt';
import { describe, expect, test } from 'vitest';
import { createAedesAuthenticator } from '../src/server/index.ts';
import type { IssuedCredential } from '../src/store/index.ts';
import { credentialOf, request, startStore } from './support/store-fixture.ts';

/** `once` of node:events does not know mqtt's own types of events. */
function next(emitter: MqttClient, event: 'close' | 'error' | 'message'): Promise<readonly unknown[]> {
  return once(emitter as unknown as EventEmitter, event);
}

async function startBroker() {
  const fixture = await startStore();
  const authenticator = createAedesAuthenticator({ store: fixture.store, intervalMs: 100 });
  const broker = await Aedes.createBroker({ ...authenticator.handlers });
  broker.on('clientDisconnect', (client) => authenticator.forget(client));
  const server = createServer((socket) => void broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: MqttClient[] = [];
  const options = (
    credential: IssuedCredential,
    overrides: { clientId?: string; password?: string } = {},
  ) => ({
    clientId: credential.deviceId,
    username: credential.accessKey,
    password: credential.accessSecret.revealText(),
    reconnectPeriod: 0,
    ...overrides,
  });
  return {
    ...fixture,
    broker,
    device: async (manufacturerId: string): Promise<IssuedCredential> =>
      credentialOf(await fixture.store.register(request({ manufacturerId }))),
    join: async (credential: IssuedCredential, overrides = {}): Promise<MqttClient> => {
      const client = await connectAsync(url, options(credential, overrides));
      clients.push(client);
      return client;
    },
    /** The code of the refusal. */
    refused: async (credential: IssuedCredential, overrides = {}): Promise<unknown> => {
      const client = connect(url, options(credential, overrides));
      clients.push(client);
      const [error] = (await next(client, 'error')) as readonly [{ code?: unknown }];
      return error.code;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.endAsync(true)));
      await authenticator.stop();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await fixture.store.close();
    },
  };
}

describe('with the right credentials', () => {
  test('a device publishes its state and hears its commands', async () => {
    await using scene = await startBroker();
    const credential = await scene.device('a');
    const client = await scene.join(credential);
    const state = once(scene.broker, 'publish');
    await client.publishAsync(`losant/${credential.deviceId}/state`, '{"data":{"rpm":1}}', { qos: 1 });
    expect(((await state) as [{ topic: string }])[0].topic).toBe(`losant/${credential.deviceId}/state`);
    await client.subscribeAsync(`losant/${credential.deviceId}/command`);
    const command = next(client, 'message');
    const topic = `losant/${credential.deviceId}/command`;
    const message = {
      cmd: 'publish',
      topic,
      payload: Buffer.from('{"name":"stop"}'),
      qos: 0,
      retain: false,
      dup: false,
    } as const;
    scene.broker.publish(message, () => undefined);
    expect(String((await command)[1])).toBe('{"name":"stop"}');
  });

  test('it does not hear the commands of another device, nor everything', async () => {
    await using scene = await startBroker();
    const [a, b] = [await scene.device('a'), await scene.device('b')];
    const client = await scene.join(a);
    for (const topic of [`losant/${b.deviceId}/command`, '#', 'losant/+/command', '$SYS/#']) {
      await expect(client.subscribeAsync(topic)).rejects.toThrow();
    }
  });

  test('publishing to a topic of another device ends the connection', async () => {
    await using scene = await startBroker();
    const [a, b] = [await scene.device('a'), await scene.device('b')];
    const client = await scene.join(a);
    const closed = next(client, 'close');
    client.publish(`losant/${b.deviceId}/state`, '{}');
    await closed;
  });
});

describe('refused with code 4', () => {
  test.each([
    ['another client id', { clientId: 'another' }],
    ['a wrong secret', { password: 'wrong' }],
    ['no secret', { password: '' }],
  ])('%s', async (_name, overrides) => {
    await using scene = await startBroker();
    expect(await scene.refused(await scene.device('a'), overrides)).toBe(4);
  });

  test('the id of one device with the key of another', async () => {
    await using scene = await startBroker();
    const [a, b] = [await scene.device('a'), await scene.device('b')];
    expect(await scene.refused(a, { clientId: b.deviceId })).toBe(4);
  });

  test('a revoked key', async () => {
    await using scene = await startBroker();
    const credential = await scene.device('a');
    await scene.store.revokeCredential(credential.accessKey);
    expect(await scene.refused(credential)).toBe(4);
  });
});

describe('a live session ends', () => {
  test('when its credential is revoked in this process', async () => {
    await using scene = await startBroker();
    const credential = await scene.device('a');
    const client = await scene.join(credential);
    const closed = next(client, 'close');
    await scene.store.revokeCredential(credential.accessKey);
    await closed;
  });

  test('when it is revoked in another process', async () => {
    await using scene = await startBroker();
    const credential = await scene.device('a');
    const client = await scene.join(credential);
    const closed = next(client, 'close');
    await scene.database.run('UPDATE credentials SET revoked_at = 1 WHERE access_key = $1', [
      credential.accessKey,
    ]);
    await closed;
  });

  test('when its successor is used', async () => {
    await using scene = await startBroker();
    const credential = await scene.device('a');
    const client = await scene.join(credential);
    const successor = await scene.store.rotate(credential);
    if (successor === undefined) throw new Error('not rotated');
    const closed = next(client, 'close');
    await scene.join(successor);
    await closed;
    expect(await scene.refused(credential)).toBe(4);
  });
});
