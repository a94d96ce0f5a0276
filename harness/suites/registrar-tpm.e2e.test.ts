/** A registrar that demands a TPM, and devices with one. Oracle: swtpm, which opens the secret or refuses to. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureRegistered } from '@endorse/dynamic-registration/client';
import { createRegistrationHandler, startRegistrar } from '@endorse/dynamic-registration/server';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { createAsymmetricTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { computeName, recognizeEndorsementKey } from '@endorse/tpm2';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { expect, test } from 'vitest';

const url = 'https://register.example.com/api/register-device';

async function startScene() {
  const resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'endorse-registrar-tpm-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = createAsymmetricTokenKey({ issuer: 'example.com', keyId: 'k', key: privateKey });
  const peppers = { 1: Secret.fromBytes(randomBytes(32)) };
  const store = resources.use(await openStore({ database: await openSqlite(':memory:'), peppers }));
  const bodies: string[] = [];
  const handler = createRegistrationHandler({ store, keys: [key], audience: [url] });
  const registrar = resources.use(
    await startRegistrar({
      allowPlainHttp: true,
      handler: async (request, context) => {
        const response = await handler(request, context);
        bodies.push(await response.clone().text());
        return response;
      },
    }),
  );
  // Provisioned ones are copies of each other; one that is not makes keys of its own.
  const openTpm = async ({ provisioned }: { readonly provisioned: boolean }) => {
    const simulator = resources.use(await startTpmSimulator({ provisioned }));
    const before = await readTpmSnapshot(simulator.address);
    const client = resources.use(await createTpmSecurityClient({ tpm: simulator.address }));
    const { area } = recognizeEndorsementKey(await client.getEndorsementKey());
    return { simulator, client, before, name: Buffer.from(computeName(area)).toString('hex') };
  };
  const common = { key, url, expiresInMs: 60_000, now: Date.now(), random: systemRandom };
  return {
    store,
    bodies,
    openTpm,
    file: (name: string): string => join(directory, name),
    mint: async (endorsementKey: 'any' | readonly string[]) =>
      (await mintToken({ ...common, endorsementKey })).token,
    origin: `${registrar.origin}/api/register-device`,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test('the secret crosses the wire wrapped, and only this TPM opens it', async () => {
  await using scene = await startScene();
  const [own, other] = [
    await scene.openTpm({ provisioned: true }),
    await scene.openTpm({ provisioned: false }),
  ];
  const options = {
    token: await scene.mint([own.name]),
    manufacturerId: 'SN-1',
    url: scene.origin,
    allowPlainHttp: true,
    stateFile: scene.file('own.json'),
  };
  const credentials = await ensureRegistered({ ...options, tpm: own.client });
  const { deviceId, accessKey, accessSecret } = credentials;
  const shown = { deviceId, accessKey, accessSecret: accessSecret.revealText() };
  expect(await scene.store.authenticate(shown)).toEqual({ deviceId, accessKey });
  expect(await scene.store.device(deviceId)).toMatchObject({ endorsementKeyName: own.name });
  // What a proxy that ends TLS sees.
  const [wire = ''] = scene.bodies;
  expect(wire).toContain('wrappedSecret');
  expect(wire).not.toContain(shown.accessSecret);
  const { wrappedSecret } = JSON.parse(wire) as {
    wrappedSecret: Record<'idObject' | 'encryptedSecret', string>;
  };
  const stolen = {
    idObject: Buffer.from(wrappedSecret.idObject, 'base64'),
    encryptedSecret: Buffer.from(wrappedSecret.encryptedSecret, 'base64'),
  };
  await expect(other.client.activateCredential(stolen)).rejects.toMatchObject({ code: /^ERR_TPM_/ });
  const opened = await own.client.activateCredential(stolen);
  expect(Buffer.from(opened).toString('base64url')).toBe(shown.accessSecret);
  await own.client.close();
  expect(await readTpmSnapshot(own.simulator.address)).toEqual(own.before);
});

test('a device without a TPM, or with another one, is refused', async () => {
  await using scene = await startScene();
  const [listed, other] = [
    await scene.openTpm({ provisioned: true }),
    await scene.openTpm({ provisioned: false }),
  ];
  const options = {
    token: await scene.mint([listed.name]),
    manufacturerId: 'SN-1',
    url: scene.origin,
    allowPlainHttp: true,
    stateFile: scene.file('refused.json'),
  };
  await expect(ensureRegistered(options)).rejects.toMatchObject({ status: 403, problem: 'tpm-required' });
  await expect(ensureRegistered({ ...options, tpm: other.client })).rejects.toMatchObject({
    status: 403,
    problem: 'tpm-required',
  });
  const credentials = await ensureRegistered({ ...options, tpm: listed.client });
  expect(await readFile(options.stateFile, 'utf8')).toContain(credentials.deviceId);
});

test('a stranger who names the keys of a device’s TPM takes its place only until the operator looks, and reads nothing', async () => {
  await using scene = await startScene();
  const [own, other] = [
    await scene.openTpm({ provisioned: true }),
    await scene.openTpm({ provisioned: false }),
  ];
  const stranger = {
    getEndorsementKey: () => own.client.getEndorsementKey(),
    getStorageRootKey: () => own.client.getStorageRootKey(),
    activateCredential: (wrapped: Parameters<typeof other.client.activateCredential>[0]) =>
      other.client.activateCredential(wrapped),
  };
  const options = {
    token: await scene.mint('any'),
    manufacturerId: 'SN-1',
    url: scene.origin,
    allowPlainHttp: true,
    stateFile: scene.file('stranger.json'),
  };
  await expect(ensureRegistered({ ...options, tpm: stranger })).rejects.toMatchObject({ code: /^ERR_TPM_/ });
  expect(await scene.store.releaseDevice('SN-1')).toBe(true);
  const stateFile = scene.file('own.json');
  expect(await ensureRegistered({ ...options, stateFile, tpm: own.client })).toMatchObject({
    source: 'registered',
  });
});
