/** The same TPM through tpm2-tools: an oracle we did not write, for keys, certificates and the identity key. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createTpmExecutor,
  createTpmSecurityClient,
  diagnoseEndorsementKey,
  readEndorsementCertificate,
  tpmInfo,
} from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import type { TpmSimulator } from '@endorse/tpm-simulator';
import { computeName, decodeTpm2bPublic } from '@endorse/tpm2';
import { expect, test } from 'vitest';
import { activateFresh, hmac, probe } from './support/client-fixture.ts';

interface Tools extends AsyncDisposable {
  /** Runs a tool in a directory of its own and returns what it printed. */
  run(tool: string, ...options: string[]): Promise<string>;
  read(file: string): Promise<Uint8Array>;
  write(file: string, content: Uint8Array): Promise<void>;
}

async function toolsFor(simulator: TpmSimulator): Promise<Tools> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-tools-'));
  const env = { ...process.env, TPM2TOOLS_TCTI: simulator.tcti };
  return {
    run: async (tool, ...options) =>
      (await promisify(execFile)(tool, options, { cwd: directory, env, timeout: 30_000 })).stdout,
    read: async (file) => Uint8Array.from(await readFile(join(directory, file))),
    write: (file, content) => writeFile(join(directory, file), content),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

test('tpm2_createek and our client mean the same key', async () => {
  await using simulator = await startTpmSimulator();
  await using tools = await toolsFor(simulator);
  await tools.run('tpm2_createek', '-c', '0x81010001', '-G', 'rsa', '-u', 'ek.pub');
  await using client = await createTpmSecurityClient({ tpm: simulator.address });
  expect(await client.getEndorsementKey()).toEqual(await tools.read('ek.pub'));
  // Found, not made: so the template check took the key of somebody else's tool.
  expect((await tpmInfo(client.executor)).persistentHandles).toEqual([0x8101_0001]);
});

test('a key that our client made is the one tpm2_createek makes', async () => {
  await using simulator = await startTpmSimulator();
  await using tools = await toolsFor(simulator);
  const client = await createTpmSecurityClient({ tpm: simulator.address });
  const endorsementKey = await client.getEndorsementKey();
  await client.close();
  await tools.run('tpm2_createek', '-c', 'ek.ctx', '-G', 'rsa', '-u', 'ek.pub');
  expect(endorsementKey).toEqual(await tools.read('ek.pub'));
  await tools.run('tpm2_flushcontext', '-t');
});

test('an endorsement key enrolled as PEM is recognised as the one this TPM makes', async () => {
  await using simulator = await startTpmSimulator({ provisioned: true });
  await using tools = await toolsFor(simulator);
  await tools.run('tpm2_readpublic', '-c', '0x81010001', '-f', 'pem', '-o', 'ek.pem', '-n', 'ek.name');
  await using executor = await createTpmExecutor(simulator.address);
  const pem = Buffer.from(await tools.read('ek.pem')).toString();
  expect(await diagnoseEndorsementKey(executor, pem)).toMatchObject({ verdict: 'match', template: 'tcg' });
  const { endorsementKey, endorsementKeyName } = await tpmInfo(executor);
  expect(endorsementKeyName).toEqual(await tools.read('ek.name'));
  expect(computeName(decodeTpm2bPublic(endorsementKey ?? new Uint8Array(0)))).toEqual(
    await tools.read('ek.name'),
  );
});

test('tpm2_hmac signs with the key that was activated', async () => {
  await using simulator = await startTpmSimulator({ provisioned: true });
  await using tools = await toolsFor(simulator);
  const client = await createTpmSecurityClient({ tpm: simulator.address });
  await activateFresh(client);
  const key = await activateFresh(client);
  await client.close();
  await tools.write('data', probe);
  await tools.run('tpm2_hmac', '-c', '0x81000100', '-o', 'signature', 'data');
  expect(await tools.read('signature')).toEqual(hmac(key, probe));
});

test('hierarchy authorizations that tpm2_changeauth set are the ones we prove', async () => {
  await using simulator = await startTpmSimulator({ provisioned: true });
  await using tools = await toolsFor(simulator);
  await tools.run('tpm2_changeauth', '-c', 'owner', 'owner-password');
  await tools.run('tpm2_changeauth', '-c', 'endorsement', 'endorsement-password');
  await using client = await createTpmSecurityClient({
    tpm: simulator.address,
    ownerAuth: Buffer.from('owner-password'),
    endorsementAuth: Buffer.from('endorsement-password'),
  });
  const key = await activateFresh(client);
  expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
});

test('tpm2_nvread reads the same certificate', async () => {
  await using simulator = await startTpmSimulator({ endorsementCertificate: true });
  await using tools = await toolsFor(simulator);
  await tools.run('tpm2_nvread', '0x01c00002', '-o', 'certificate.der');
  await tools.run('tpm2_readpublic', '-c', '0x81010001', '-f', 'der', '-o', 'ek.der');
  await using executor = await createTpmExecutor(simulator.address);
  const { der } = await readEndorsementCertificate(executor, await tools.read('ek.der'));
  expect(der).toEqual(await tools.read('certificate.der'));
});
