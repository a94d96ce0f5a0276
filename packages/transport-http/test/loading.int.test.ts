import { closedPort, findLoadedModules } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { loadClient } from '../src/load-client.ts';

const imports = `
    const { createHttpTransport } = await import('@endorse/transport-http');
    const { createHttpPump } = await import('@endorse/transport-http/pump');
`;

const isUndici = (file: string): boolean => file.includes('/undici/');

test('importing the package and opening a session loads neither undici nor networking', async () => {
  const { files, networking } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
    await createHttpTransport().openSession(target, { kind: 'tpm' }).close();
    createHttpPump()({ host: 'dps.example.test' }).close();
  `,
  );
  expect(files.filter(isUndici)).toEqual([]);
  expect(networking).toEqual([]);
  const foreign = files.filter(
    (file) =>
      !/\/packages\/(transport-http|transport-socket|interface|protocol)\/|^node:/.test(file) &&
      !isUndici(file),
  );
  expect(foreign).toEqual([]);
});

test('the first request loads the HTTP/1.1 client of undici and nothing that makes fetch', async () => {
  const { files } = await findLoadedModules(
    import.meta.url,
    `
    ${imports}
    import { Secret } from '@endorse/interface';
    const target = { provisioningHost: 'localhost:${await closedPort()}', idScope: '0ne1', registrationId: 'device-1' };
    const session = createHttpTransport().openSession(target, { kind: 'symmetric-key' });
    const request = { sasToken: Secret.fromText('x'), registrationId: 'device-1', operationId: '5.op' };
    await session.queryOperationStatus(request, { signal: AbortSignal.timeout(10000) }).catch(() => undefined);
    await session.close();
  `,
  );
  const undici = files.filter(isUndici);
  expect(undici.some((file) => file.endsWith('/lib/dispatcher/client.js'))).toBe(true);
  expect(undici.filter((file) => /\/lib\/web\/|undici\/index\.js$/.test(file))).toEqual([]);
});

test('a later undici that hides the file of its client is loaded as a whole', async () => {
  const { Client } = await import('undici');
  expect(await loadClient(() => Promise.reject(new Error('ERR_PACKAGE_PATH_NOT_EXPORTED')))).toBe(Client);
  expect((await loadClient()).name).toBe('Client');
});
