/** Oracle for what is printed: the TPM itself, asked through another connection. */
import { Secret } from '@endorse/interface';
import { commands, handles, rh } from '@endorse/tpm2';
import { readTpmSnapshot, startTpmSimulator, type TpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { readIdentity, withTpm } from './support/device.ts';
import { jsonLines } from './support/run-in-process.ts';
import { runProcess } from './support/run-process.ts';

const password = 'correct horse battery staple';

/** Sets the password of a hierarchy, as an administrator does once. */
async function setPassword(simulator: TpmSimulator, hierarchy: 'owner' | 'endorsement'): Promise<void> {
  const newAuth = Secret.fromText(password).reveal();
  await withTpm(simulator, (client) =>
    client.executor.execute(commands.HierarchyChangeAuth, { authHandle: rh[hierarchy], newAuth }),
  );
}

describe('endorse tpm info', () => {
  test('creates the keys of a fresh TPM once, and prints what the TPM then says', async () => {
    await using simulator = await startTpmSimulator();
    const first = await runProcess(['tpm', 'info', '--tpm', simulator.address, '--json']);
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const [info, ...more] = jsonLines(first.stdout);
    expect(more).toEqual([]);
    const { registrationId, endorsementKey } = await readIdentity(simulator);
    expect(info).toMatchObject({
      event: 'tpm-info',
      registrationId,
      endorsementKey: Buffer.from(endorsementKey).toString('base64'),
      manufacturer: 'IBM',
      persistentHandles: ['0x81000001', '0x81010001'],
      endorsementCertificates: [],
      inLockout: false,
    });
    expect(info?.['firmwareVersion']).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(Buffer.from(String(info?.['storageRootKey']), 'base64').byteLength).toBe(284);

    const snapshot = await readTpmSnapshot(simulator.address);
    const second = await runProcess(['tpm', 'info', '--tpm', simulator.address, '--json']);
    expect(second).toEqual(first);
    expect(await readTpmSnapshot(simulator.address)).toEqual(snapshot);
    expect(snapshot).toMatchObject({ transient: [], loadedSessions: [], savedSessions: [] });
  });

  test('without --json prints one fact a line', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const { exitCode, stdout } = await runProcess(['tpm', 'info', '--tpm', simulator.address]);
    const { registrationId } = await readIdentity(simulator);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^registration id +${registrationId}\nendorsement key +AToA[A-Za-z0-9+/=]+\n`),
    );
  });

  test('takes the passwords of the hierarchies from the environment', async () => {
    await using simulator = await startTpmSimulator();
    await setPassword(simulator, 'endorsement');
    await setPassword(simulator, 'owner');
    const info = ['tpm', 'info', '--tpm', simulator.address];

    const without = await runProcess(info);
    expect(without.exitCode).toBe(1);
    expect(without.stderr).toMatch(/\[ERR_TPM_/);
    expect(without.stderr).toMatch(/remedy: /);

    const flags = [
      '--owner-auth-env',
      'OWNER',
      '--endorsement-auth-env',
      'ENDORSEMENT',
      '--verbose',
      '--json',
    ];
    const wrong = await runProcess([...info, ...flags], {
      OWNER: 'wrong-password-1',
      ENDORSEMENT: 'wrong-password-2',
    });
    expect(wrong.exitCode).toBe(1);
    expect(jsonLines(wrong.stdout).at(-1)).toMatchObject({
      event: 'error',
      code: expect.stringMatching(/^ERR_TPM_/) as unknown,
    });

    const right = await runProcess([...info, ...flags], { OWNER: password, ENDORSEMENT: password });
    expect(right.exitCode).toBe(0);
    const printed = [without, wrong, right].map(({ stdout, stderr }) => stdout + stderr).join('');
    for (const secret of [password, 'wrong-password-1', 'wrong-password-2']) {
      expect(printed).not.toContain(secret);
      expect(printed).not.toContain(Buffer.from(secret).toString('hex'));
      expect(printed).not.toContain(Buffer.from(secret).toString('base64'));
    }
    expect(await readTpmSnapshot(simulator.address)).toMatchObject({
      transient: [],
      loadedSessions: [],
      savedSessions: [],
    });
  });

  test('--ek-template decides which key an empty TPM gets', async () => {
    await using simulator = await startTpmSimulator();
    const idFrom = async (template: string): Promise<unknown> => {
      const info = ['tpm', 'info', '--tpm', simulator.address, '--ek-template', template, '--json'];
      return jsonLines((await runProcess(info)).stdout)[0]?.['registrationId'];
    };
    const fromTcg = await idFrom('tcg');
    await withTpm(simulator, ({ executor }) =>
      executor.execute(commands.EvictControl, {
        auth: rh.owner,
        objectHandle: handles.endorsementKey,
        persistentHandle: handles.endorsementKey,
      }),
    );
    const fromLegacy = await idFrom('azure-legacy');
    for (const id of [fromTcg, fromLegacy]) expect(id).toMatch(/^[a-z2-7]{52}$/);
    expect(fromLegacy).not.toBe(fromTcg);
  });

  test('no TPM at the address: exit code 1, with the remedy', async () => {
    const { exitCode, stderr } = await runProcess(['tpm', 'info', '--tpm', 'device:///dev/no-such-tpm']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no TPM at \/dev\/no-such-tpm \[ERR_TPM_UNREACHABLE\]/);
    expect(stderr).toMatch(/remedy: /);
  });
});
