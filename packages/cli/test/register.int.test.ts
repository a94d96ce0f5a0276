import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTpmSnapshot } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { startEnrolledDevice } from './support/device.ts';
import { jsonLines } from './support/run-in-process.ts';
import { runProcess, startCli } from './support/run-process.ts';

describe('a registration', () => {
  test('prints JSON lines, last the assignment, and leaves nothing but the identity key in the TPM', async () => {
    await using device = await startEnrolledDevice();
    const before = await readTpmSnapshot(device.simulator.address);
    const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = jsonLines(stdout);
    expect(lines.map(({ event }) => event)).toEqual([
      'registration-started',
      'identity-read',
      'challenge-requested',
      'challenge-received',
      'key-activated',
      'token-signed',
      'register-sent',
      ...lines
        .filter(({ event }) => event === 'operation-polled' || event === 'waiting')
        .map(({ event }) => event),
      'key-activated',
      'registration-assigned',
      'assigned',
    ]);
    expect(lines.at(-1)).toMatchObject({
      event: 'assigned',
      source: 'registered',
      registrationId: device.registrationId,
      deviceId: device.registrationId,
      assignedHub: device.emulator.assignedHub,
      substatus: 'initialAssignment',
    });
    const { persistent, ...after } = await readTpmSnapshot(device.simulator.address);
    expect({ ...after, persistent: persistent.slice(0, 0) }).toEqual({ ...before, persistent: [] });
    expect(persistent.length).toBe(before.persistent.length + 1);
  });

  test('without --json prints the assignment on standard output and its progress on standard error', async () => {
    await using device = await startEnrolledDevice();
    const { exitCode, stdout, stderr } = await runProcess(device.registerArgs);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^hub +${device.emulator.assignedHub}\ndevice id +${device.registrationId}\n`),
    );
    expect(stderr).toMatch(/→ challenge received.*\n.*→ challenge key loaded into the TPM/);
    expect(stderr).toMatch(/✓ assigned to/);
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
  });

  test('with --verbose names TPM commands and requests, and no token', async () => {
    await using device = await startEnrolledDevice();
    const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--json', '--verbose']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/TPM2_ActivateCredential ok \d+\.\d ms/);
    expect(stderr).toMatch(/debug request-sent .*"PUT"/);
    expect(`${stdout}${stderr}`).not.toMatch(/sig=|SharedAccessSignature|authenticationKey/);
  });

  test('sends the payload of a file, and takes a registration id', async () => {
    await using device = await startEnrolledDevice({
      enroll: false,
      emulator: {
        allocate: ({ payload, linkedHubs }) => ({
          iotHubHostName: linkedHubs[0] ?? '',
          payload: { echoed: payload ?? null },
        }),
      },
    });
    const { endorsementKey } = device;
    await device.emulator.createTpmEnrollment({
      registrationId: 'my-device',
      endorsementKey,
      deviceId: 'other-name',
    });
    const payloadFile = join(device.directory, 'payload.json');
    await writeFile(payloadFile, '{"model":"x","serial":7}');
    const { stdout } = await runProcess([
      ...device.registerArgs,
      ...['--registration-id', 'my-device', '--payload-file', payloadFile, '--json'],
    ]);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      registrationId: 'my-device',
      deviceId: 'other-name',
      payload: { echoed: { model: 'x', serial: 7 } },
    });
  });
});

describe('--state', () => {
  test('keeps the assignment: the second run asks nobody, --force does', async () => {
    await using device = await startEnrolledDevice();
    const state = join(device.directory, 'state', 'assignment.json');
    const args = [...device.registerArgs, '--state', state, '--json'];
    const first = jsonLines((await runProcess(args)).stdout).at(-1);
    expect(first).toMatchObject({ event: 'assigned', source: 'registered' });
    expect(await readFile(state, 'utf8')).toContain(device.emulator.assignedHub);

    await device.emulator.stop();
    const second = await runProcess(args);
    expect(second.exitCode).toBe(0);
    expect(jsonLines(second.stdout)).toMatchObject([
      { event: 'assigned', source: 'stored', assignedHub: device.emulator.assignedHub },
    ]);

    const forced = await runProcess([...args, '--force', '--timeout-ms', '500']);
    expect(forced.exitCode).toBe(1);
  });

  test('that cannot be read ends before anything is registered', async () => {
    await using device = await startEnrolledDevice();
    const { exitCode, stdout } = await runProcess([
      ...device.registerArgs,
      '--state',
      '/dev/null/state',
      '--json',
    ]);
    expect(exitCode).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ event: 'error', code: 'ERR_STATE_READ' }]);
  });

  test('that cannot be written costs the exit code, not the assignment', async () => {
    await using device = await startEnrolledDevice();
    const state = join(device.directory, 'state.json');
    // Stands where the store writes first.
    await mkdir(`${state}.tmp`);
    const { exitCode, stdout, stderr } = await runProcess([
      ...device.registerArgs,
      '--state',
      state,
      '--json',
    ]);
    expect(exitCode).toBe(1);
    expect(jsonLines(stdout).slice(-2)).toMatchObject([
      { event: 'assigned', source: 'registered', assignedHub: device.emulator.assignedHub },
      { event: 'error', code: 'ERR_STATE_WRITE' },
    ]);
    expect(stderr).toMatch(/remedy: /);
  });
});

describe('a refusal says what was attempted, its code, the causes and the remedy', () => {
  test('unknown registration id', async () => {
    await using device = await startEnrolledDevice({ enroll: false });
    const { exitCode, stdout, stderr } = await runProcess([...device.registerArgs, '--json']);
    expect(exitCode).toBe(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      event: 'error',
      command: 'endorse register',
      code: 'ERR_SERVICE_NOT_FOUND',
      retryable: false,
      remedy: expect.stringMatching(/enrollment/) as unknown,
    });
    expect(stderr).toMatch(/^endorse register: .*404201.*\[ERR_SERVICE_NOT_FOUND\]\n {2}remedy: /m);
  });

  test('disabled enrollment', async () => {
    await using device = await startEnrolledDevice({ enroll: false });
    const { registrationId, endorsementKey } = device;
    await device.emulator.createTpmEnrollment({
      registrationId,
      endorsementKey,
      provisioningStatus: 'disabled',
    });
    const { exitCode, stderr } = await runProcess(device.registerArgs);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[ERR_REGISTRATION_DISABLED]');
  });

  test('the key of another TPM is enrolled', async () => {
    await using device = await startEnrolledDevice({ enroll: false });
    await using other = await startEnrolledDevice({ enroll: false, simulator: { variant: 'other' } });
    const { registrationId } = device;
    await device.emulator.createTpmEnrollment({ registrationId, endorsementKey: other.endorsementKey });
    const { exitCode, stderr } = await runProcess(device.registerArgs);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ERR_SERVICE_BAD_REQUEST/);
    expect(stderr).toMatch(/remedy: .*endorse tpm info/);
  });

  test('certificate not trusted', async () => {
    await using device = await startEnrolledDevice();
    const withoutCa = device.registerArgs.filter(
      (arg, index, all) => arg !== '--ca' && all[index - 1] !== '--ca',
    );
    const { exitCode, stderr } = await runProcess(withoutCa);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/\[ERR_TRANSPORT_TLS\]\n {2}because: .*\n {2}remedy: /);
  });

  test('service down: tried again until the time is up', async () => {
    await using device = await startEnrolledDevice();
    await device.emulator.stop();
    const { exitCode, stdout, stderr } = await runProcess([
      ...device.registerArgs,
      '--timeout-ms',
      '1000',
      '--json',
    ]);
    expect(exitCode).toBe(1);
    expect(
      jsonLines(stdout).some(
        ({ event, code }) => event === 'retry-scheduled' && code === 'ERR_TRANSPORT_CONNECT',
      ),
    ).toBe(true);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ event: 'error', code: 'ERR_TIMEOUT' });
    expect(stderr).toMatch(/did not end within 1000 ms.*\[ERR_TIMEOUT\]/);
  });

  test('no TPM at the address', async () => {
    await using device = await startEnrolledDevice();
    await device.simulator.stop();
    const { exitCode, stderr } = await runProcess(device.registerArgs);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/\[ERR_TPM_UNREACHABLE\]/);
    expect(stderr).toMatch(/remedy: /);
  });

  test('a proxy that lets nobody through, without its password', async () => {
    await using device = await startEnrolledDevice();
    const env = { HTTPS_PROXY: `http://user:proxy-password@${device.emulator.provisioningHost}` };
    const { exitCode, stdout, stderr } = await runProcess(
      [...device.registerArgs, '--timeout-ms', '2000', '--json'],
      env,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ERR_TRANSPORT_|ERR_TIMEOUT/);
    expect(`${stdout}${stderr}`).not.toContain('proxy-password');
  });
});

describe('Ctrl-C', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s in the middle cleans the TPM up and ends with 130',
    async (signal) => {
      await using device = await startEnrolledDevice({
        emulator: { assigningDurationMs: 60_000, retryAfterSeconds: 60 },
      });
      const before = await readTpmSnapshot(device.simulator.address);
      await using cli = startCli([...device.registerArgs, '--json']);
      await cli.line(/"waiting"/);
      cli.kill(signal);
      expect(await cli.ended).toEqual({ exitCode: 130, signal: null });
      expect(jsonLines(cli.stdout()).at(-1)).toMatchObject({ event: 'interrupted' });
      expect(cli.stderr()).toContain('interrupted; everything was cleaned up');
      const { transient, loadedSessions, savedSessions } = await readTpmSnapshot(device.simulator.address);
      expect({ transient, loadedSessions, savedSessions }).toMatchObject({
        transient: before.transient,
        loadedSessions: before.loadedSessions,
        savedSessions: before.savedSessions,
      });
    },
  );

  test('before the TPM was reached ends with 130, too', async () => {
    await using device = await startEnrolledDevice();
    await device.emulator.stop();
    await using cli = startCli([...device.registerArgs, '--json']);
    await cli.line(/"retry-scheduled"/);
    cli.kill('SIGINT');
    expect(await cli.ended).toEqual({ exitCode: 130, signal: null });
  });
});
