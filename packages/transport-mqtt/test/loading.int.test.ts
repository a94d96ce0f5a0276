import { closedPort, findLoadedModules } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { loadMqttClient } from '../src/load-client.ts';

const imports = `const { createMqttTransport } = await import('@endorse/transport-mqtt');`;

test('importing the package and opening a session loads neither mqtt.js, ws nor networking', async () => {
  const { files, networking } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
    await createMqttTransport({ webSocket: true }).openSession(target, { kind: 'symmetric-key' }).close();
  `,
  );
  expect(networking).toEqual([]);
  const own = /\/packages\/(transport-mqtt|transport-socket|interface|protocol)\/|^node:/;
  expect(files.filter((file) => !own.test(file))).toEqual([]);
});

test('the first request over TLS loads the client of mqtt.js without its connectors, and no WebSocket', async () => {
  const { files } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    import { Secret } from '@endorse/interface';
    const target = { provisioningHost: 'localhost:${await closedPort()}', idScope: '0ne1', registrationId: 'device-1' };
    const session = createMqttTransport().openSession(target, { kind: 'symmetric-key' });
    const request = { sasToken: Secret.fromText('x'), registrationId: 'device-1', operationId: '5.op' };
    await session.queryOperationStatus(request, { signal: AbortSignal.timeout(10000) }).catch(() => undefined);
    await session.close();
  `,
  );
  expect(files.some((file) => file.endsWith('/mqtt/build/lib/client.js'))).toBe(true);
  expect(files.filter((file) => /\/node_modules\/(ws|socks)\/|\/lib\/connect\//.test(file))).toEqual([]);
});

test('what is loaded is the client that the package exports', async () => {
  const { MqttClient } = await import('mqtt');
  expect(loadMqttClient()).toBe(MqttClient);
});
