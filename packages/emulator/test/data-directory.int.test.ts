/** State on disk: found again whole, held by one emulator at a time, never taken from somebody else. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmulator } from '@endorse/emulator';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { startEmulatorChild } from './support/emulator-child.ts';
import { emulatorFixture, tpmDevice } from './support/http-client.ts';
import { anyString, matching } from './support/matchers.ts';
import { softwareTpm } from './support/software-tpm.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

test('an emulator that starts again has its CA, keys, ports and scope, and a device goes on where it was', async () => {
  await using directory = await temporaryDirectory();
  const dataDirectory = join(directory.path, 'nested', 'data');
  const names = await (async () => {
    await using fixture = await emulatorFixture({ dataDirectory, idScope: '0ne12345678' });
    const { emulator } = fixture;
    const { endorsementKey } = softwareTpm();
    await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey });
    await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
    const device = tpmDevice(fixture, 'device-1');
    const token = await device.solve(await device.requestChallenge());
    const { operationId } = (await device.register(token)).json();
    return { ...pick(emulator), token, operationId: String(operationId) };
  })();
  const { token, operationId, ...expected } = names;
  await using fixture = await emulatorFixture({ dataDirectory });
  expect(pick(fixture.emulator)).toEqual(expected);
  const polled = await tpmDevice(fixture, 'device-1').poll(token, operationId);
  expect(polled.json()).toMatchObject({ status: 'assigned', operationId, registrationState: { tpm: {} } });
  const group = await fixture.sendAsOwner({ path: '/enrollmentGroups/plant?api-version=2021-10-01' });
  expect(group.status).toBe(200);
});

function pick(emulator: Awaited<ReturnType<typeof startEmulator>>) {
  const { idScope, caPem, endpoints, serviceConnectionString } = emulator;
  return { idScope, caPem, endpoints, key: serviceConnectionString.fingerprint };
}

test('its files are for their owner only', async () => {
  await using directory = await temporaryDirectory();
  const dataDirectory = join(directory.path, 'data');
  await using emulator = await startEmulator({ dataDirectory });
  const files = (await readdir(dataDirectory)).toSorted();
  expect(files).toEqual(['ca.pem', 'emulator.sqlite', 'emulator.sqlite-wal', 'endorse-ca-secret.pem']);
  const modes = await Promise.all(
    files.map(async (file) => (await stat(join(dataDirectory, file))).mode & 0o777),
  );
  expect(modes).toEqual([0o644, 0o600, 0o600, 0o600]);
  expect((await stat(dataDirectory)).mode & 0o777).toBe(0o700);
  expect(emulator.caFile).toBe(join(dataDirectory, 'ca.pem'));
});

test('a second emulator on the same directory is refused, from this process and from another', async () => {
  await using directory = await temporaryDirectory();
  const refusal = { code: 'ERR_EMULATOR_DATA_IN_USE', remedy: anyString };
  {
    await using _one = await startEmulator({ dataDirectory: directory.path });
    await expect(startEmulator({ dataDirectory: directory.path })).rejects.toMatchObject(refusal);
  }
  const child = await startEmulatorChild(directory.path);
  await expect(startEmulator({ dataDirectory: directory.path })).rejects.toMatchObject(refusal);
  // No lock is left behind by a process that had no chance to tidy up.
  await child.kill();
  await using _two = await startEmulator({ dataDirectory: directory.path });
});

test('a file that is no database, one of another program and one of a later version are refused and left alone', async () => {
  for (const spoil of [spoilWithText, spoilWithTable, spoilWithVersion]) {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'emulator.sqlite');
    await spoil(file);
    await expect(startEmulator({ dataDirectory: directory.path })).rejects.toMatchObject({
      code: 'ERR_EMULATOR_DATA',
      message: matching(/not a database|another program|version 99/),
    });
  }
});

async function spoilWithText(file: string): Promise<void> {
  await writeFile(file, 'no database, but long enough to look like one '.repeat(40));
}

async function spoilWithTable(file: string): Promise<void> {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE theirs (x)');
  database.close();
}

async function spoilWithVersion(file: string): Promise<void> {
  openSqliteStore(file).close();
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
}

test('another ID scope, a store beside the directory and a file in its place are refused', async () => {
  await using directory = await temporaryDirectory();
  const dataDirectory = join(directory.path, 'data');
  await (await startEmulator({ dataDirectory, idScope: '0neAAA' })).stop();
  await expect(startEmulator({ dataDirectory, idScope: '0neBBB' })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: matching(/belongs to the ID scope 0neAAA/),
  });
  await expect(startEmulator({ dataDirectory, store: createMemoryStore() })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  });
  await writeFile(join(directory.path, 'file'), '');
  await expect(startEmulator({ dataDirectory: join(directory.path, 'file') })).rejects.toMatchObject({
    code: 'ERR_EMULATOR_DATA',
  });
  // None of them kept the lock.
  await (await startEmulator({ dataDirectory })).stop();
});

test('a write that fails is a 500, leaves nothing by halves, and the emulator goes on', async () => {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const store = openSqliteStore(':memory:');
  const { prototype } = DatabaseSync;
  await using fixture = await emulatorFixture({ store });
  const put = (registrationId: string) =>
    fixture.sendAsOwner({
      method: 'PUT',
      path: `/enrollments/${registrationId}?api-version=2021-10-01`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ registrationId, attestation: { type: 'symmetricKey' } }),
    });
  const { exec } = prototype;
  prototype.exec = function (sql: string): void {
    if (sql === 'COMMIT') throw new Error('the disk is full');
    exec.call(this, sql);
  };
  const failed = await put('lost').finally(() => {
    prototype.exec = exec;
  });
  expect(failed.status).toBe(500);
  expect(store.enrollments.get('lost')).toBeUndefined();
  expect((await put('kept')).status).toBe(200);
  expect([...store.enrollments.list()].map(({ registrationId }) => registrationId)).toEqual(['kept']);
});
