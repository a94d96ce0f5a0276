/** What listens for devices in `@endorse/dynamic-registration`, and the list of all its targets that listen. */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import {
  createAedesAuthenticator,
  createRegistrationHandler,
  startRegistrar,
} from '@endorse/dynamic-registration/server';
import type { RecordedSession } from '@endorse/fuzzing';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { openConnection } from './emulator-listeners.ts';
import { httpRequest } from './emulator-sessions.ts';
import type { ListenerTarget, StartedListener } from './listener.ts';
import { converse, sessionProperty } from './listener.ts';
import { startDevice, startDirectory } from './registrar-clients.ts';
import { audience, issue, key, mint, openTestStore } from './registrar-fixture.ts';

async function startRegistrarListener(): Promise<StartedListener> {
  const store = await openTestStore();
  const handler = createRegistrationHandler({
    store,
    keys: [key],
    audience: [audience],
    compatible: true,
    rateLimits: false,
  });
  const registrar = await startRegistrar({ handler, allowPlainHttp: true, drainMs: 0 });
  const { accessKey, accessSecret } = await issue(store);
  const authorization = `Basic ${Buffer.from(`${accessKey}:${accessSecret.revealText()}`).toString('base64')}`;
  const body = JSON.stringify({ manufacturerId: 'SN-1', token: await mint(), proof: 'A'.repeat(43) });
  const registration = httpRequest('POST', '/api/register-device', { body });
  const form = Buffer.from(registration)
    .toString()
    .replace('application/json; charset=utf-8', 'application/x-www-form-urlencoded');
  const sessions: readonly RecordedSession[] = [
    [registration],
    [Buffer.from(form)],
    [
      httpRequest('GET', '/api/device', { authorization }),
      httpRequest('POST', '/api/device/acknowledgement', { authorization }),
      httpRequest('POST', '/api/device/credentials', { authorization }),
    ],
  ];
  const open = () => openConnection(registrar.origin, '');
  return {
    property: sessionProperty({ open, sessions }),
    serveOne: async () => {
      const answer = await converse(await open(), [registration]);
      if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`a good device hears ${answer}`);
    },
    [Symbol.asyncDispose]: async () => {
      await registrar.stop();
      await store.close();
    },
  };
}

async function startBrokerListener(): Promise<StartedListener> {
  const store = await openTestStore();
  const authenticator = createAedesAuthenticator({ store });
  const broker = await Aedes.createBroker({ ...authenticator.handlers, connectTimeout: 1_000 });
  broker.on('clientDisconnect', (client) => authenticator.forget(client));
  // aedes reports what clients do wrong; who hears it is not our question.
  for (const event of ['clientError', 'connectionError'] as const) broker.on(event, () => undefined);
  const credential = await issue(store);
  const client: Uint8Array[] = [];
  const accept = (socket: Socket): void => {
    socket.on('error', () => undefined);
    void broker.handle(socket);
  };
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => client.push(Uint8Array.from(chunk)));
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const serveOne = async (): Promise<void> => {
    const device = await connectAsync(url.replace('http', 'mqtt'), {
      clientId: credential.deviceId,
      username: credential.accessKey,
      password: credential.accessSecret.revealText(),
      reconnectPeriod: 0,
    });
    await device.subscribeAsync(`losant/${credential.deviceId}/command`);
    await device.publishAsync(`losant/${credential.deviceId}/state`, '{"data":{}}', { qos: 1 });
    await device.endAsync();
  };
  await serveOne();
  const session = client.splice(0);
  return {
    property: sessionProperty({
      open: () => openConnection(url, ''),
      sessions: [session],
      reset: () => void client.splice(0),
    }),
    serveOne,
    [Symbol.asyncDispose]: async () => {
      await authenticator.stop();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await store.close();
    },
  };
}

const exported = (...names: readonly string[]): readonly string[] =>
  names.map((name) => `dynamic-registration ${name}`);

/** Every target of the package that listens. */
export const registrarListeners: readonly ListenerTarget[] = [
  {
    name: 'dynamic-registration registrar',
    covers: exported('startRegistrar', 'createNodeListener', 'createRegistrationHandler'),
    start: startRegistrarListener,
  },
  {
    name: 'dynamic-registration broker',
    covers: exported('createAedesAuthenticator'),
    start: startBrokerListener,
  },
  {
    name: 'dynamic-registration directory',
    covers: exported('createMosquittoDirectory'),
    start: startDirectory,
  },
  {
    name: 'dynamic-registration device',
    covers: exported('acknowledge', 'fetchDevice', 'rotateCredentials', 'ensureRegistered'),
    start: startDevice,
  },
];
