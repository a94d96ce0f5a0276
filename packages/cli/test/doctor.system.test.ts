/** Oracle: the certificate that swtpm_setup issues for the endorsement key it makes. */
import { commands, handles, rh } from '@endorse/tpm2';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { expect, test } from 'vitest';
import { withTpm } from './support/device.ts';
import { jsonLines, runInProcess } from './support/run-in-process.ts';

async function certificateFinding(address: string): Promise<unknown> {
  const { stdout } = await runInProcess(['doctor', '--tpm', address, '--json']);
  return jsonLines(stdout).find(({ check }) => check === 'endorsement-certificate');
}

test('a certificate of the endorsement key in use is found and matches', async () => {
  await using simulator = await startTpmSimulator({ endorsementCertificate: true });
  expect(await certificateFinding(simulator.address)).toMatchObject({
    level: 'ok',
    message: expect.stringMatching(/^the certificate at 0x01c000\w\w is of the endorsement key/) as unknown,
  });
});

test('a key from another template than the maker’s is told apart, and the template is named', async () => {
  await using simulator = await startTpmSimulator({ endorsementCertificate: true });
  await withTpm(simulator, ({ executor }) =>
    executor.execute(commands.EvictControl, {
      auth: rh.owner,
      objectHandle: handles.endorsementKey,
      persistentHandle: handles.endorsementKey,
    }),
  );
  const legacy = await createTpmSecurityClient({ tpm: simulator.address, ekTemplate: 'azure-legacy' });
  try {
    await legacy.getEndorsementKey();
  } finally {
    await legacy.close();
  }
  const before = await readTpmSnapshot(simulator.address);
  expect(await certificateFinding(simulator.address)).toMatchObject({
    level: 'warning',
    code: 'ERR_TPM_CERTIFICATE_MISMATCH',
    message: expect.stringContaining('made from the template azure-legacy') as unknown,
    remedy: expect.stringContaining('endorse tpm info') as unknown,
  });
  expect(await readTpmSnapshot(simulator.address)).toEqual(before);
});
