/** The endorsement and the storage root key: found, checked, created, refused. Oracle: swtpm, and templates of the TCG. */
import { deriveRegistrationId } from '@endorse/protocol';
import { createTpmExecutor, diagnoseEndorsementKey, openTpmDevice, tpmInfo } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import {
  commands,
  computeName,
  decodeTpm2bPublic,
  encodeCommandFrame,
  encodePublic,
  handles,
  nvAttributes,
  nvIndices,
  passwordAuthorization,
  rh,
  srkTemplateEccP256,
  srkTemplateRsa2048,
  ekTemplateEccP256,
} from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm } from './support/client-fixture.ts';

async function persist(
  address: string,
  inPublic: PublicArea,
  primaryHandle: number,
  persistentHandle: number,
): Promise<void> {
  await using executor = await createTpmExecutor(address);
  await executor.exclusive(async (scope) => {
    const { objectHandle } = await scope.execute(commands.CreatePrimary, { primaryHandle, inPublic });
    await scope.execute(commands.EvictControl, { auth: rh.owner, objectHandle, persistentHandle });
  });
}

describe('finding and creating', () => {
  test('keys that are there are used as they are', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const endorsementKey = await client.getEndorsementKey();
    const storageRootKey = await client.getStorageRootKey();
    expect([endorsementKey.byteLength, storageRootKey.byteLength]).toEqual([316, 284]);
    expect(await client.getRegistrationId()).toBe(deriveRegistrationId(endorsementKey));
    expect(new Set(tpm.interposer.passed.map(({ name }) => name))).toEqual(new Set(['ReadPublic']));
  });

  test('keys that are absent are created once, persisted, and found from then on', async () => {
    await using tpm = await startTpm({});
    const first = await tpm.open({ ekTemplate: 'ecc' });
    const endorsementKey = await first.getEndorsementKey();
    const storageRootKey = await first.getStorageRootKey();
    await first.close();
    const { persistent, transient, loadedSessions } = await tpm.snapshot();
    expect([...persistent]).toEqual([0x8100_0002, 0x8101_0002]);
    expect([transient, loadedSessions]).toEqual([[], []]);
    tpm.interposer.passed.length = 0;
    const second = await tpm.open({ ekTemplate: 'ecc' });
    expect(await second.getEndorsementKey()).toEqual(endorsementKey);
    expect(await second.getStorageRootKey()).toEqual(storageRootKey);
    expect(tpm.interposer.passed.map(({ name }) => name)).toEqual(['ReadPublic', 'ReadPublic']);
  });

  test('handles may be chosen, for example where systemd keeps its ECC key', async () => {
    await using tpm = await startTpm({});
    const client = await tpm.open({
      ekTemplate: 'ecc',
      endorsementKeyHandle: 0x8101_0016,
      storageRootKeyHandle: 0x8100_0001,
    });
    const key = await activateFresh(client);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    await client.close();
    expect((await tpm.snapshot()).persistent).toEqual([0x8100_0001, 0x8100_0101, 0x8101_0016]);
  });

  test('createKeys: false creates nothing', async () => {
    await using tpm = await startTpm({});
    const client = await tpm.open({ createKeys: false });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_KEY_MISSING',
      handle: handles.endorsementKey,
    });
    await client.close();
    expect((await tpm.snapshot()).persistent).toEqual([]);
  });

  test('an endorsement key that is absent and cannot be created is ERR_TPM_KEY_NOT_CREATABLE', async () => {
    await using tpm = await startTpm({});
    await disableHierarchy(tpm.simulator.address, rh.endorsement);
    const client = await tpm.open({ ekTemplate: 'ecc' });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_KEY_NOT_CREATABLE',
      handle: 0x8101_0002,
      cause: { code: 'ERR_TPM_HIERARCHY', command: 'CreatePrimary' },
    });
  });

  test.each([
    ['an ECC key', srkTemplateEccP256, 'type is ecc'],
    [
      'a signing key',
      { ...srkTemplateEccP256, objectAttributes: 0x0004_0472, symmetric: null },
      'type is ecc',
    ],
  ])(
    '%s at the handle of the RSA storage root key is ERR_TPM_KEY_TEMPLATE, and stays',
    async (_, area, problem) => {
      await using tpm = await startTpm({});
      await persist(tpm.simulator.address, area, rh.owner, handles.storageRootKey);
      const client = await tpm.open();
      await expect(client.getStorageRootKey()).rejects.toMatchObject({
        code: 'ERR_TPM_KEY_TEMPLATE',
        handle: handles.storageRootKey,
        message: expect.stringContaining(problem) as string,
      });
      await client.close();
      expect((await tpm.snapshot()).persistent).toEqual([handles.storageRootKey]);
    },
  );

  test.each([
    ['attributes', { ...ekTemplateEccP256, objectAttributes: 0x0003_00f2 }, 'objectAttributes'],
    ['policy', { ...ekTemplateEccP256, authPolicy: new Uint8Array(32).fill(1) }, 'authPolicy'],
    [
      'cipher',
      { ...ekTemplateEccP256, symmetric: { algorithm: 'aes', keyBits: 256, mode: 'cfb' } },
      'symmetric',
    ],
  ] as const)('an endorsement key with other %s is ERR_TPM_KEY_TEMPLATE', async (_, area, problem) => {
    await using tpm = await startTpm({});
    await persist(tpm.simulator.address, area, rh.endorsement, 0x8101_0002);
    const client = await tpm.open({ ekTemplate: 'ecc' });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_KEY_TEMPLATE',
      message: expect.stringContaining(problem) as string,
    });
  });

  test('another process that persists the key first is no failure: its key is used', async () => {
    await using tpm = await startTpm({});
    await persist(tpm.simulator.address, ekTemplateEccP256, rh.endorsement, 0x8101_0002);
    // We look before it is there, and find the handle taken when we persist.
    tpm.interposer.intercept = (_name, index) => (index === 0 ? { refuse: 0x18b } : undefined);
    const client = await tpm.open({ ekTemplate: 'ecc' });
    expect((await client.getEndorsementKey()).byteLength).toBe(124);
    const evictions = tpm.interposer.passed.filter(({ name }) => name === 'EvictControl');
    expect(evictions.map(({ response }) => Buffer.from(response ?? []).readUInt32BE(6))).toEqual([0x14c]);
    await client.close();
    const { transient, persistent } = await tpm.snapshot();
    expect([transient, persistent]).toEqual([[], [0x8101_0002]]);
  });

  test('a pinned Name admits this key only', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const name = computeName(decodeTpm2bPublic(await client.getEndorsementKey()));
    await client.close();
    const pinned = await tpm.open({ pinnedEkName: name });
    await activateFresh(pinned);
    await pinned.close();
    const other = await tpm.open({
      pinnedEkName: Uint8Array.from(name, (byte, index) => (index === 9 ? byte ^ 1 : byte)),
    });
    await expect(other.getEndorsementKey()).rejects.toMatchObject({ code: 'ERR_TPM_EK_NOT_PINNED' });
  });
});

describe('the maker’s template and nonce in NV memory', () => {
  const area = (nvIndex: number, dataSize: number) => ({
    nvIndex,
    nameAlg: 'sha256' as const,
    attributes:
      nvAttributes.ownerWrite |
      nvAttributes.authWrite |
      nvAttributes.authRead |
      nvAttributes.ownerRead |
      nvAttributes.noDa,
    authPolicy: new Uint8Array(0),
    dataSize,
  });

  async function writeNv(
    address: string,
    contents: readonly (readonly [number, Uint8Array])[],
  ): Promise<void> {
    await using executor = await createTpmExecutor(address);
    for (const [nvIndex, data] of contents) {
      await executor.execute(commands.NV_DefineSpace, {
        authHandle: rh.owner,
        publicInfo: area(nvIndex, data.byteLength),
      });
      await executor.execute(commands.NV_Write, { authHandle: rh.owner, nvIndex, data, offset: 0 });
    }
  }

  test('make another key, which is the one the TPM makes of them', async () => {
    await using tpm = await startTpm({});
    const nonce = new Uint8Array(20).fill(0xab);
    await writeNv(tpm.simulator.address, [
      [nvIndices.ekTemplateEccP256, encodePublic(ekTemplateEccP256)],
      [nvIndices.ekNonceEccP256, nonce],
    ]);
    const client = await tpm.open({ ekTemplate: 'ecc' });
    const found = decodeTpm2bPublic(await client.getEndorsementKey());
    const x = new Uint8Array(32);
    x.set(nonce);
    const expected = await client.executor.exclusive((scope) =>
      scope.execute(commands.CreatePrimary, {
        primaryHandle: rh.endorsement,
        inPublic: { ...ekTemplateEccP256, unique: { x, y: new Uint8Array(32) } },
      }),
    );
    expect(found).toEqual(expected.outPublic);
    const plain = await client.executor.exclusive((scope) =>
      scope.execute(commands.CreatePrimary, { primaryHandle: rh.endorsement, inPublic: ekTemplateEccP256 }),
    );
    expect(found).not.toEqual(plain.outPublic);
  });

  test('a template of another kind is refused', async () => {
    await using tpm = await startTpm({});
    await writeNv(tpm.simulator.address, [[nvIndices.ekTemplateEccP256, encodePublic(srkTemplateRsa2048)]]);
    const client = await tpm.open({ ekTemplate: 'ecc' });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_KEY_TEMPLATE',
      handle: nvIndices.ekTemplateEccP256,
    });
  });
});

describe('which template made an enrolled key', () => {
  test('tells the TCG key and the legacy key of one TPM apart, and another TPM from both', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using executor = await createTpmExecutor(simulator.address);
    const { endorsementKey } = await tpmInfo(executor);
    const enrolled = decodeTpm2bPublic(endorsementKey ?? new Uint8Array(0));
    expect(await diagnoseEndorsementKey(executor, enrolled)).toMatchObject({
      verdict: 'match',
      template: 'tcg',
    });
    const foreign = await startTpmSimulator({ provisioned: true, variant: 'another' });
    await using other = await createTpmExecutor(foreign.address);
    expect(await diagnoseEndorsementKey(other, enrolled)).toMatchObject({ verdict: 'other-tpm' });
    await other.close();
    await foreign.stop();
  });
});

test('tpmInfo describes a TPM and changes nothing', async () => {
  await using tpm = await startTpm();
  const before = await tpm.snapshot();
  const client = await tpm.open();
  const key = await activateFresh(client);
  const info = await tpmInfo(client.executor);
  expect(info).toMatchObject({
    kind: 'swtpm',
    resourceManaged: false,
    manufacturer: 'IBM',
    vendor: expect.stringContaining('SW') as string,
    specificationRevision: expect.stringMatching(/^1\.\d\d$/) as string,
    endorsementKey: await client.getEndorsementKey(),
    storageRootKey: await client.getStorageRootKey(),
    registrationId: await client.getRegistrationId(),
    identityKeyHandle: handles.identityKeyAlternate,
    persistentHandles: [handles.storageRootKey, handles.identityKeyAlternate, handles.endorsementKey],
    inLockout: false,
  });
  // Above 2^32: both halves count.
  expect(info.firmwareVersion).toBeGreaterThan(2n ** 32n);
  expect(info.firmwareVersionText.split('.').map(Number)).toHaveLength(4);
  expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
  await client.close();
  const { persistent: _, ...volatile } = before;
  expect(await tpm.snapshot()).toMatchObject(volatile);
});

/** TPM2_HierarchyControl(platform, hierarchy, NO), which the ceremony has no use for. */
async function disableHierarchy(address: string, hierarchy: number): Promise<void> {
  const parameters = Buffer.alloc(5);
  parameters.writeUInt32BE(hierarchy, 0);
  const frame = encodeCommandFrame({
    commandCode: 0x121,
    handles: [rh.platform],
    authorizations: [passwordAuthorization()],
    parameters: Uint8Array.from(parameters),
  });
  const device = await openTpmDevice(address);
  const response = await device.transmit(frame, { timeoutMs: 5000 });
  await device.close();
  expect(Buffer.from(response).readUInt32BE(6)).toBe(0);
}
