import { closedPort, findLoadedModules } from '@endorse/testkit';
import { expect, test } from 'vitest';

const imports = `const { createAmqpTransport } = await import('@endorse/transport-amqp');`;

test('importing the package and opening a session loads neither rhea, ws nor networking', async () => {
  const { files, networking } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
    await createAmqpTransport({ webSocket: true }).openSession(target, { kind: 'tpm' }).close();
  `,
  );
  expect(networking).toEqual([]);
  const own = /\/packages\/(transport-amqp|transport-socket|interface|protocol)\/|^node:/;
  expect(files.filter((file) => !own.test(file))).toEqual([]);
});

test('the first request over TLS loads rhea, and ws only over a WebSocket', async () => {
  const { files } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    import { Secret } from '@endorse/interface';
    const target = { provisioningHost: 'localhost:${await closedPort()}', idScope: '0ne1', registrationId: 'device-1' };
    const session = createAmqpTransport().openSession(target, { kind: 'symmetric-key' });
    const request = { sasToken: Secret.fromText('x'), registrationId: 'device-1', operationId: '5.op' };
    await session.queryOperationStatus(request, { signal: AbortSignal.timeout(10000) }).catch(() => undefined);
    await session.close();
  `,
  );
  expect(files.some((file) => file.includes('/rhea/'))).toBe(true);
  expect(files.filter((file) => /\/ws\//.test(file))).toEqual([]);
});
