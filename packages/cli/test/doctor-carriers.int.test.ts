/** What the doctor says about each carrier. Oracle: the emulator, which the official SDK registers with over all of them. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { Emulator } from '@endorse/emulator';
import { expect, test } from 'vitest';
import { startEnrolledDevice } from './support/device.ts';
import { finding, findingsIn, startProxy } from './support/findings.ts';
import { runInProcess } from './support/run-in-process.ts';

test.each([
  [
    'amqp',
    /^localhost:\d+ speaks AMQP 1\.0\.0 \(at [^,]+, .*TLSv1\.3, certificate issued by .+, after \d+ ms\)$/,
  ],
  ['amqp-ws', /^localhost:\d+ speaks AMQP 1\.0\.0 in a WebSocket \(/],
  ['mqtt', /^localhost:\d+ speaks MQTT 3\.1\.1 \(it refuses a stranger, as it should\) \(/],
  ['mqtt-ws', /^localhost:\d+ speaks MQTT 3\.1\.1 \(it refuses a stranger, as it should\) in a WebSocket \(/],
] as const)('over %s: says what it is answered with, in one line', async (carrier, message) => {
  await using device = await startEnrolledDevice();
  const host = hostOf(device.emulator, carrier);
  const examine = (...args: readonly string[]): ReturnType<typeof runInProcess> =>
    runInProcess(['doctor', '--host', host, '--transport', carrier, '--json', ...args], {
      platform: 'darwin',
    });
  const trusted = await examine('--ca', device.caFile);
  expect(findingsIn(trusted.stdout)).toEqual([
    expect.objectContaining({ check: 'tpm-device', level: 'skipped' }) as unknown,
    { event: 'finding', check: carrier, level: 'ok', message: expect.stringMatching(message) as unknown },
  ]);
  expect(trusted.exitCode).toBe(0);
  const untrusted = await examine();
  expect(finding(untrusted.stdout, carrier)).toMatchObject({
    level: 'error',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    message: expect.stringMatching(/, but its certificate is not trusted$/) as unknown,
    remedy: expect.stringContaining('--ca') as unknown,
  });
  expect(untrusted.exitCode).toBe(1);
});

test('a carrier whose port is closed: the error says which other one to take', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  for (const [carrier, detour] of [
    ['amqp', 'use --transport amqp-ws or http.'],
    ['mqtt', 'use --transport mqtt-ws or http.'],
  ] as const) {
    const { exitCode, stdout } = await runInProcess(
      ['doctor', '--host', `127.0.0.1:${port}`, '--transport', carrier, '--json'],
      { platform: 'darwin' },
    );
    expect(exitCode).toBe(1);
    expect(finding(stdout, carrier)).toMatchObject({
      level: 'error',
      code: 'ECONNREFUSED',
      remedy: expect.stringContaining(detour) as unknown,
    });
  }
});

test('a carrier asked of the port of another one is told that it is not spoken there', async () => {
  await using device = await startEnrolledDevice();
  const ask = (carrier: string, host: string): ReturnType<typeof runInProcess> =>
    runInProcess(['doctor', '--host', host, '--ca', device.caFile, '--transport', carrier, '--json'], {
      platform: 'darwin',
    });
  const { emulator } = device;
  for (const [carrier, host] of [
    ['mqtt', hostOf(emulator, 'amqp')],
    ['amqp', hostOf(emulator, 'mqtt')],
    ['amqp-ws', hostOf(emulator, 'mqtt')],
    ['http', hostOf(emulator, 'amqp')],
  ] as const) {
    const { exitCode, stdout } = await ask(carrier, host);
    expect([carrier, host, exitCode]).toEqual([carrier, host, 1]);
    expect(finding(stdout, carrier === 'http' ? 'http-answer' : carrier)).toMatchObject({
      level: 'error',
      message: expect.stringMatching(
        carrier === 'http' ? /does not answer HTTP: / : /does not answer over /,
      ) as unknown,
    });
  }
});

test('without --transport every carrier is tried at its port, and only HTTP is an error', async () => {
  await using proxy = await startProxy('nobody:knows');
  const { exitCode, stdout } = await runInProcess(['doctor', '--host', 'dps.example', '--json'], {
    platform: 'darwin',
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
  });
  expect(exitCode).toBe(1);
  const network = findingsIn(stdout).filter(({ check }) => check !== 'tpm-device');
  expect(network.map(({ check, level }) => `${check} ${level}`)).toEqual([
    'proxy error',
    'amqp warning',
    'amqp-ws warning',
    'mqtt warning',
    'mqtt-ws warning',
  ]);
  for (const { message, remedy } of network) {
    expect(message).toContain('407');
    expect(remedy).toContain('HTTPS_PROXY');
  }
});

/** Where an emulator serves a carrier. */
function hostOf({ endpoints, provisioningHost }: Emulator, carrier: string): string {
  const { [carrier as 'amqp' | 'mqtt']: url } = endpoints;
  return url === undefined ? provisioningHost : new URL(url).host;
}
