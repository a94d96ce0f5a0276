import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import {
  createSasToken,
  encodeIndividualEnrollment,
  encodeServiceTarget,
  parseServiceConnectionString,
  serviceResource,
} from '@endorse/protocol';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { makeDirectory, readIdentity, type TpmIdentity } from './support/device.ts';
import { jsonLines } from './support/run-in-process.ts';
import { runProcess, startCli } from './support/run-process.ts';

interface Ready {
  readonly event: 'ready';
  readonly idScope: string;
  readonly serviceConnectionString: string;
  readonly caFile: string;
  readonly adminUrl: string;
  readonly endpoints: Readonly<Record<'http' | 'service' | 'hub', string>> & {
    readonly amqp: string;
    readonly mqtt: string;
  };
}

/** Does what an operator does: puts the enrollment through the service API, with nothing but the ready line. */
async function enroll(
  ready: Ready,
  { registrationId, endorsementKey }: TpmIdentity,
): Promise<number | undefined> {
  const { hostName, sharedAccessKeyName, sharedAccessKey } = parseServiceConnectionString(
    ready.serviceConnectionString,
  );
  const token = await createSasToken({
    resource: serviceResource(hostName),
    keyName: sharedAccessKeyName,
    expiresAt: Date.now() + 60_000,
    sign: async (data) => createHmac('sha256', sharedAccessKey.reveal()).update(data).digest(),
  });
  const url = new URL(
    encodeServiceTarget({ kind: 'put-enrollment', registrationId }),
    ready.endpoints.service,
  );
  const ca = await readFile(ready.caFile);
  return new Promise((resolve, reject) => {
    const headers = { authorization: token.revealText(), 'content-type': 'application/json' };
    const call = request(url, { method: 'PUT', ca, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    call.once('error', reject);
    call.end(encodeIndividualEnrollment({ registrationId, attestation: { type: 'tpm', endorsementKey } }));
  });
}

describe('endorse emulator', () => {
  test('says in its first line all that an operator and a device need', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using emulator = startCli(['emulator', '--json']);
    const ready = JSON.parse(await emulator.line(/^\{"event":"ready"/)) as Ready;
    expect(Object.keys(ready)).toEqual([
      'event',
      'idScope',
      'serviceConnectionString',
      'caFile',
      'endpoints',
      'adminUrl',
    ]);
    expect(Object.keys(ready.endpoints)).toEqual(['http', 'amqp', 'mqtt', 'service', 'hub']);

    const identity = await readIdentity(simulator);
    expect(await enroll(ready, identity)).toBe(200);
    const { host } = new URL(ready.endpoints.http);
    const registered = await runProcess([
      'register',
      ...['--host', host, '--id-scope', ready.idScope, '--ca', ready.caFile],
      ...['--tpm', simulator.address, '--json'],
    ]);
    expect(registered.exitCode).toBe(0);
    expect(jsonLines(registered.stdout).at(-1)).toMatchObject({
      event: 'assigned',
      registrationId: identity.registrationId,
      assignedHub: new URL(ready.endpoints.hub).host,
    });

    await emulator.line(/"device-assigned"/);
    const [first, ...events] = jsonLines(emulator.stdout());
    expect(first).toEqual(ready);
    expect(events.map(({ event }) => event)).toEqual([
      'enrollment-written',
      'challenge-issued',
      'registration-started',
      'device-assigned',
    ]);
    const key = /SharedAccessKey=(.*)$/.exec(ready.serviceConnectionString)?.[1] ?? '';
    expect(JSON.stringify(events) + emulator.stderr()).not.toContain(key);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 130 and removes the CA file', async (signal) => {
    await using emulator = startCli(['emulator', '--json']);
    const { caFile } = JSON.parse(await emulator.line(/"ready"/)) as Ready;
    expect(existsSync(caFile)).toBe(true);
    emulator.kill(signal);
    expect(await emulator.ended).toEqual({ exitCode: 130, signal: null });
    expect(existsSync(caFile)).toBe(false);
    expect(jsonLines(emulator.stdout()).at(-1)).toMatchObject({ event: 'interrupted' });
  });

  test('a reader that goes away ends it, too', async () => {
    await using emulator = startCli(['emulator', '--json', '--http-port', '0']);
    const { endpoints } = JSON.parse(await emulator.line(/"ready"/)) as Ready;
    emulator.closeOutput();
    // Whatever happens next is an event, and an event is a line nobody reads.
    await new Promise<void>((resolve) => {
      const url = new URL('/0ne00000000/registrations/x/register?api-version=2021-06-01', endpoints.http);
      const call = request(url, { method: 'PUT', rejectUnauthorized: false }, (response) =>
        response.resume(),
      );
      call.once('close', () => resolve());
      call.once('error', () => resolve());
      call.end('{}');
    });
    expect(await emulator.ended).toEqual({ exitCode: 130, signal: null });
  });

  test('without --json prints where it is, and how to register', async () => {
    await using emulator = startCli(['emulator', '--hostname', 'dps.example', '--id-scope', '0ne0000ABCD']);
    await emulator.line(
      /endorse register --host localhost:\d+ --id-scope 0ne0000ABCD --ca .*ca\.pem --tpm URL/,
    );
    expect(emulator.stdout()).toMatch(/^The emulator is ready/);
  });

  test('--ca-dir keeps the CA: a client configured once is configured for ever', async () => {
    await using directory = await makeDirectory();
    const readCa = async (): Promise<string> => {
      await using emulator = startCli(['emulator', '--json', '--ca-dir', join(directory.path, 'ca')]);
      const { caFile } = JSON.parse(await emulator.line(/"ready"/)) as Ready;
      emulator.kill('SIGINT');
      await emulator.ended;
      return await readFile(caFile, 'utf8');
    };
    expect(await readCa()).toBe(await readCa());
  });

  test('--data keeps everything, also when it is killed, and says nothing about it', async () => {
    await using directory = await makeDirectory();
    const data = join(directory.path, 'data');
    const readReady = async (kill: NodeJS.Signals): Promise<Ready> => {
      await using emulator = startCli(['emulator', '--json', '--data', data]);
      const ready = JSON.parse(await emulator.line(/"ready"/)) as Ready;
      emulator.kill(kill);
      await emulator.ended;
      expect(emulator.stderr()).not.toMatch(/experimental/i);
      return ready;
    };
    const first = await readReady('SIGKILL');
    // The token of the admin API is that of a run.
    const again = await readReady('SIGINT');
    expect(again).toEqual({ ...first, adminUrl: again.adminUrl });
    expect(again.adminUrl).not.toBe(first.adminUrl);
    expect(existsSync(first.caFile)).toBe(true);
    await using emulator = startCli(['emulator', '--json', '--data', data]);
    await emulator.line(/"ready"/);
    const second = await runProcess(['emulator', '--json', '--data', data]);
    expect([second.exitCode, ...jsonLines(second.stdout)]).toMatchObject([
      1,
      { event: 'error', code: 'ERR_EMULATOR_DATA_IN_USE' },
    ]);
  });

  test('--seed-file, --hub and --snapshot, then --restore: the same service again', async () => {
    await using directory = await makeDirectory();
    const file = join(directory.path, 'plant.yaml');
    const snapshot = join(directory.path, 'snapshot.jsonl');
    await writeFile(
      file,
      'enrollments:\n  - { registrationId: pump-1, attestation: { type: symmetricKey } }\n',
    );
    const hubs = ['--hub', 'east,weight=3', '--hub', 'west'];
    {
      await using emulator = startCli(['emulator', '--seed-file', file, ...hubs, '--snapshot', snapshot]);
      await emulator.line(/^hub west +localhost:\d+$/);
      await emulator.line(/^ {2}endorse register/);
      emulator.kill('SIGINT');
      expect(await emulator.ended).toEqual({ exitCode: 130, signal: null });
    }
    expect((await stat(snapshot)).mode & 0o777).toBe(0o600);
    const before = await readFile(snapshot, 'utf8');
    expect(before).toContain('"id":"pump-1"');
    {
      await using emulator = startCli(['emulator', '--restore', snapshot, ...hubs, '--snapshot', snapshot]);
      await emulator.line(/^ {2}endorse register/);
      emulator.kill('SIGINT');
      await emulator.ended;
    }
    const withoutPorts = (text: string): string => text.replaceAll(/localhost:\d+/g, 'host');
    expect(withoutPorts(await readFile(snapshot, 'utf8'))).toBe(withoutPorts(before));
  });

  test.each([
    [['--hub', 'two words'], 2, /^--hub name must be/],
    [['--hub', 'east,weight=0'], 2, /^--hub allocationWeight must be/],
    [['--hub', 'east,colour=red'], 2, /neither weight=N nor port=N/],
    [['--allocation-policy', 'custom'], 2, /one of hashed, geoLatency, static/],
    [['--restore', '/nowhere'], 2, /cannot read \/nowhere/],
    [['--restore', '/dev/null'], 2, /^--restore is no snapshot/],
    [['--seed-file', '/nowhere'], 1, /cannot read the seed file \/nowhere/],
  ])('%j is refused with exit code %d', async (args, exitCode, message) => {
    const refused = await runProcess(['emulator', '--json', ...args]);
    expect([refused.exitCode, jsonLines(refused.stdout).at(-1)]).toEqual([
      exitCode,
      expect.objectContaining({ event: 'error', message: expect.stringMatching(message) as string }),
    ]);
  });

  test('a port that is taken: exit code 1, with the remedy', async () => {
    await using first = startCli(['emulator', '--json']);
    const { endpoints } = JSON.parse(await first.line(/"ready"/)) as Ready;
    const second = await runProcess(['emulator', '--http-port', new URL(endpoints.http).port, '--json']);
    expect(second.exitCode).toBe(1);
    expect(jsonLines(second.stdout)).toMatchObject([{ event: 'error', code: 'ERR_EMULATOR_LISTEN' }]);
  });
});
