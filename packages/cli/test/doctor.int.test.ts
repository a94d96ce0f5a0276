import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { startEmulator } from '@endorse/emulator';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startEnrolledDevice } from './support/device.ts';
import { finding, findingsIn, startProxy } from './support/findings.ts';
import { jsonLines, runInProcess } from './support/run-in-process.ts';
import { runProcess } from './support/run-process.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('endorse doctor', () => {
  test('a device that is ready: no error, every layer looked at, nothing changed', async () => {
    await using device = await startEnrolledDevice();
    const before = await readTpmSnapshot(device.simulator.address);
    const { exitCode, stdout, stderr } = await runProcess([
      'doctor',
      ...[
        '--tpm',
        device.simulator.address,
        '--host',
        device.emulator.provisioningHost,
        '--ca',
        device.caFile,
        '--json',
      ],
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(findingsIn(stdout).map(({ check, level }) => `${check} ${level}`)).toEqual([
      'tpm-device ok',
      'resource-manager ok',
      'tpm ok',
      'lockout ok',
      'hierarchy-passwords ok',
      'endorsement-key ok',
      'storage-root-key ok',
      'endorsement-certificate warning',
      'proxy ok',
      'reachability ok',
      'tls-trust ok',
      'http-answer ok',
      'clock ok',
    ]);
    expect(jsonLines(stdout).at(-1)).toEqual({ event: 'diagnosed', ok: true, errors: 0, warnings: 1 });
    expect(finding(stdout, 'endorsement-key')?.message).toContain(device.registrationId);
    expect(await readTpmSnapshot(device.simulator.address)).toEqual(before);
  });

  test('every warning and error has a remedy', async () => {
    await using simulator = await startTpmSimulator();
    const { stdout } = await runProcess([
      'doctor',
      '--tpm',
      simulator.address,
      '--host',
      'no-such-host.invalid',
      '--json',
    ]);
    const bad = findingsIn(stdout).filter(({ level }) => level === 'warning' || level === 'error');
    expect(bad.length).toBeGreaterThan(2);
    for (const { remedy } of bad) expect(remedy).toMatch(/^[A-Z].*\.$/);
  });

  test('a fresh TPM: keys are missing, which is a warning, and stay missing', async () => {
    await using simulator = await startTpmSimulator();
    const { exitCode, stdout } = await runProcess(['doctor', '--tpm', simulator.address, '--json']);
    expect(exitCode).toBe(0);
    for (const check of ['endorsement-key', 'storage-root-key']) {
      expect(finding(stdout, check)).toMatchObject({ level: 'warning', code: 'ERR_TPM_KEY_MISSING' });
    }
    expect(await readTpmSnapshot(simulator.address)).toMatchObject({ persistent: [], transient: [] });
  });

  test('a TPM that was named and is not there is an error, the usual one of the platform a warning', async () => {
    const named = await runInProcess(['doctor', '--tpm', 'device:///dev/no-such-tpm', '--json']);
    expect(named.exitCode).toBe(1);
    expect(finding(named.stdout, 'tpm-device')).toMatchObject({
      level: 'error',
      code: 'ERR_TPM_UNREACHABLE',
    });
    const elsewhere = await runInProcess(['doctor', '--json'], { platform: 'darwin' });
    expect(elsewhere.exitCode).toBe(0);
    expect(findingsIn(elsewhere.stdout).map(({ level }) => level)).toEqual(['skipped', 'skipped']);
  });

  test('a certificate that is not trusted is an error, and the clock is compared all the same', async () => {
    await using emulator = await startEmulator();
    const { exitCode, stdout } = await runInProcess(
      ['doctor', '--host', emulator.provisioningHost, '--json'],
      { platform: 'darwin' },
    );
    expect(exitCode).toBe(1);
    expect(finding(stdout, 'tls-trust')).toMatchObject({
      level: 'error',
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      remedy: expect.stringContaining('--ca') as unknown,
    });
    expect(finding(stdout, 'clock')).toMatchObject({ level: 'ok' });
  });

  test.each([
    [-20 * 60_000, 'error', /1[12]\d\d s behind the server/],
    [20 * 60_000, 'error', /1[12]\d\d s ahead of the server/],
    [60_000, 'warning', /(59|6\d) s ahead of the server/],
    [0, 'ok', /agrees/],
  ] as const)('a clock that is off by %i ms: %s', async (skewMs, level, message) => {
    await using device = await startEnrolledDevice();
    const now = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => now() + skewMs);
    const { stdout } = await runInProcess(
      ['doctor', '--host', device.emulator.provisioningHost, '--ca', device.caFile, '--json'],
      { platform: 'darwin' },
    );
    expect(finding(stdout, 'clock')).toMatchObject({
      level,
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('nothing listens, or something that never answers', async () => {
    await using emulator = await startEmulator();
    const host = emulator.provisioningHost;
    await emulator.stop();
    const refused = await runInProcess(['doctor', '--host', host, '--json'], { platform: 'darwin' });
    expect(finding(refused.stdout, 'reachability')).toMatchObject({ level: 'error', code: 'ECONNREFUSED' });

    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const stuck = await runInProcess(
      ['doctor', '--host', `127.0.0.1:${port}`, '--timeout-ms', '200', '--json'],
      { platform: 'darwin' },
    );
    silent.close();
    expect(finding(stuck.stdout, 'tls-trust')).toMatchObject({
      level: 'error',
      message: expect.stringContaining('no answer within 200 ms') as unknown,
    });
  });

  test('the proxy of the environment is used, named without its password, and blamed when it refuses', async () => {
    await using device = await startEnrolledDevice();
    await using proxy = await startProxy('user:proxy-password');
    const args = ['doctor', '--host', device.emulator.provisioningHost, '--ca', device.caFile, '--json'];
    const through = (credentials: string): ReturnType<typeof runInProcess> =>
      runInProcess(args, {
        platform: 'darwin',
        env: { HTTPS_PROXY: `http://${credentials}@127.0.0.1:${proxy.port}` },
      });

    const allowed = await through('user:proxy-password');
    expect(allowed.exitCode).toBe(0);
    expect(finding(allowed.stdout, 'proxy')?.message).toContain(
      `through http://127.0.0.1:${proxy.port} (HTTPS_PROXY)`,
    );

    const refused = await through('user:other-password');
    expect(refused.exitCode).toBe(1);
    expect(finding(refused.stdout, 'proxy')).toMatchObject({
      level: 'error',
      message: expect.stringContaining('407') as unknown,
    });
    expect(findingsIn(refused.stdout).filter(({ level }) => level === 'error').length).toBe(1);

    const bypassed = await runInProcess(args, {
      platform: 'darwin',
      env: { https_proxy: 'http://127.0.0.1:1', NO_PROXY: 'example.net, localhost' },
    });
    expect(bypassed.exitCode).toBe(0);
    expect(`${allowed.stdout}${refused.stdout}${allowed.stderr}${refused.stderr}`).not.toMatch(
      /(proxy|other)-password/,
    );
  });

  test('a proxy address nobody can read is a usage error that does not repeat it', async () => {
    const { exitCode, stderr } = await runInProcess(['doctor', '--host', 'localhost:1'], {
      platform: 'darwin',
      env: { HTTPS_PROXY: 'ftp://user:proxy-password@x' },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/HTTPS_PROXY is no http:\/\/ or https:\/\/ address/);
    expect(stderr).not.toContain('proxy-password');
  });

  test('Ctrl-C ends it with 130', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const controller = new AbortController();
    silent.once('connection', () => controller.abort(new Error('interrupted')));
    const { exitCode } = await runInProcess(['doctor', '--host', `127.0.0.1:${port}`], {
      platform: 'darwin',
      signal: controller.signal,
    });
    silent.close();
    expect(exitCode).toBe(130);
  });

  test('without --json prints a line a finding, and the remedy below', async () => {
    const { stdout } = await runInProcess(['doctor', '--tpm', 'device:///dev/no-such-tpm']);
    expect(stdout).toMatch(
      /^✗ tpm-device +there is no TPM at .* \[ERR_TPM_UNREACHABLE\]\n +→ Switch the TPM on/,
    );
    expect(stdout).toMatch(/\n1 error, 0 warnings\n$/);
  });
});
