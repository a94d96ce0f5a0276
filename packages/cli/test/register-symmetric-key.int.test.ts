import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Emulator } from '@endorse/emulator';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { describe, expect, test } from 'vitest';
import { startKeyDevice } from './support/key-device.ts';
import { jsonLines } from './support/run-in-process.ts';
import { runProcess } from './support/run-process.ts';

describe('a registration with a symmetric key', () => {
  test.each([
    ['primary', 0],
    ['secondary', 1],
  ] as const)('prints JSON lines, last the assignment (%s key)', async (_name, index) => {
    await using device = await startKeyDevice();
    const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--json'], {
      DEVICE_KEY: device.keys[index],
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = jsonLines(stdout);
    expect(lines.map(({ event }) => event)).not.toContain('challenge-requested');
    expect(lines[0]).toMatchObject({ event: 'registration-started', attestation: 'symmetric-key' });
    expect(lines.at(-1)).toMatchObject({
      event: 'assigned',
      source: 'registered',
      registrationId: 'key-device',
      deviceId: 'name-at-the-hub',
      assignedHub: device.emulator.assignedHub,
    });
  });

  test('for a person, with --verbose, never mentions the key, a token or a TPM', async () => {
    await using device = await startKeyDevice();
    const [key] = device.keys;
    const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--verbose'], {
      DEVICE_KEY: `${key}\n`,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^hub +localhost:\d+\ndevice id +name-at-the-hub\n/);
    expect(stderr).toMatch(/→ token signed, valid until/);
    expect(`${stdout}${stderr}`).not.toMatch(/sig=|SharedAccessSignature|TPM/);
    expect(`${stdout}${stderr}`).not.toContain(key);
  });

  test('takes a key derived from that of a group', async () => {
    await using device = await startKeyDevice();
    const { primaryKey } = await device.emulator.createSymmetricKeyEnrollmentGroup({
      enrollmentGroupId: 'plant',
    });
    const key = Buffer.from(deriveGroupDeviceKey(primaryKey.reveal(), 'pump-7')).toString('base64');
    const identity = ['--symmetric-key-env', 'DEVICE_KEY', '--registration-id', 'pump-7'];
    const { exitCode, stdout } = await runProcess([...device.anonymousArgs, ...identity, '--json'], {
      DEVICE_KEY: key,
    });
    expect(exitCode).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ event: 'assigned', registrationId: 'pump-7' });
  });

  test.each([
    ['amqp', ({ endpoints }: Emulator) => new URL(endpoints.amqp).host],
    ['amqp-ws', ({ provisioningHost }: Emulator) => provisioningHost],
    ['mqtt', ({ endpoints }: Emulator) => new URL(endpoints.mqtt).host],
    ['mqtt-ws', ({ provisioningHost }: Emulator) => provisioningHost],
  ])('goes over %s', async (transport, hostOf) => {
    await using device = await startKeyDevice();
    const args = [...device.registerArgs, '--transport', transport, '--json'];
    args[args.indexOf('--host') + 1] = hostOf(device.emulator);
    const { exitCode, stdout, stderr } = await runProcess(args, { DEVICE_KEY: device.keys[0] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(jsonLines(stdout).at(-1)).toMatchObject({ event: 'assigned', deviceId: 'name-at-the-hub' });
  });

  test('keeps its assignment with --state', async () => {
    await using device = await startKeyDevice();
    const args = [...device.registerArgs, '--state', join(device.directory, 'state.json'), '--json'];
    const env = { DEVICE_KEY: device.keys[0] };
    expect((await runProcess(args, env)).exitCode).toBe(0);
    await device.emulator.stop();
    const { exitCode, stdout } = await runProcess(args, env);
    expect(exitCode).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ event: 'assigned', source: 'stored' }]);
  });
});

test('a wrong key is refused with a typed error and exit code 1, and stays secret', async () => {
  await using device = await startKeyDevice();
  const key = randomBytes(64).toString('base64');
  const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--json', '--verbose'], {
    DEVICE_KEY: key,
  });
  expect(exitCode).toBe(1);
  expect(jsonLines(stdout).at(-1)).toMatchObject({
    event: 'error',
    command: 'endorse register',
    code: 'ERR_SERVICE_UNAUTHORIZED',
    retryable: false,
  });
  expect(`${stdout}${stderr}`).not.toContain(key);
  expect(`${stdout}${stderr}`).not.toMatch(/sig=|SharedAccessSignature/);
});

test.each([
  ['a variable that is not set', [], /names DEVICE_KEY, which is not set/],
  ['a second identity', ['--tpm', 'tbs:'], /--tpm and --symmetric-key-env exclude each other/],
])('%s ends with 2 before anything is asked', async (_name, more, problem) => {
  await using device = await startKeyDevice();
  const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, ...more]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(problem);
});
