// Oracle: node:crypto's HMAC under the key that was wrapped; blobs are made by the server side of @endorse/tpm2.
import { createHmac, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '@endorse/interface/node';
import { deriveRegistrationId, joinActivationBlob } from '@endorse/protocol';
import { createActivation } from '@endorse/tpm2';
import type { SoftwareTpmKeys } from '@endorse/testkit';
import { createSoftwareTpm, generateSoftwareTpmKeys } from '@endorse/testkit';

const parts = ['idObject', 'encryptedSecret', 'duplicate', 'encryptedSeed', 'publicArea'] as const;

describe.each(['rsa', 'ecc'] as const)('a software TPM with %s keys', (algorithm) => {
  let keys: SoftwareTpmKeys;
  beforeAll(async () => {
    keys = await generateSoftwareTpmKeys(algorithm);
  });
  const wrap = (key: Uint8Array, owner: SoftwareTpmKeys = keys) =>
    createActivation({
      endorsementKey: owner.endorsementArea,
      storageRootKey: owner.storageRootArea,
      key,
      random: systemRandom,
    });

  test('signs with the key it was sent', async () => {
    await using tpm = await createSoftwareTpm({ keys });
    const key = randomBytes(32);
    expect(tpm.hasIdentityKey).toBe(false);
    await expect(tpm.signWithIdentity(new Uint8Array(1))).rejects.toMatchObject({ code: 'ERR_TPM_HANDLE' });
    await tpm.activateIdentityKey(joinActivationBlob(wrap(key)));
    expect(tpm.hasIdentityKey).toBe(true);
    for (const length of [0, 1, 5000]) {
      const data = randomBytes(length);
      const expected = createHmac('sha256', key).update(data).digest();
      expect(Buffer.from(await tpm.signWithIdentity(data))).toEqual(expected);
    }
  });

  test('derives its registration id from its endorsement key', async () => {
    await using tpm = await createSoftwareTpm({ keys });
    expect(await tpm.getRegistrationId()).toBe(deriveRegistrationId(await tpm.getEndorsementKey()));
    await using named = await createSoftwareTpm({ keys, registrationId: 'device-1' });
    expect(await named.getRegistrationId()).toBe('device-1');
    expect(await tpm.getStorageRootKey()).toEqual(keys.storageRootKey);
    expect(keys.endorsementKey).toHaveLength(algorithm === 'rsa' ? 316 : 124);
  });

  test.each(parts)('refuses a blob with a flipped bit in %s and keeps the key it had', async (part) => {
    await using tpm = await createSoftwareTpm({ keys });
    const key = randomBytes(32);
    await tpm.activateIdentityKey(joinActivationBlob(wrap(key)));
    const sent = wrap(randomBytes(32));
    const flipped = Uint8Array.from(sent[part]);
    // The last byte of the public area belongs to its digest; elsewhere any byte will do.
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    const blob = joinActivationBlob({ ...sent, [part]: flipped });
    await expect(tpm.activateIdentityKey(blob)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TPM_/) as unknown,
      fault: 'tpm',
    });
    const data = randomBytes(8);
    expect(Buffer.from(await tpm.signWithIdentity(data))).toEqual(
      createHmac('sha256', key).update(data).digest(),
    );
  });

  test('refuses a blob for another TPM, and bytes that are no blob', async () => {
    await using tpm = await createSoftwareTpm({ keys });
    const other = wrap(randomBytes(32), await generateSoftwareTpmKeys(algorithm));
    await expect(tpm.activateIdentityKey(joinActivationBlob(other))).rejects.toMatchObject({ fault: 'tpm' });
    await expect(tpm.activateIdentityKey(new Uint8Array(7))).rejects.toMatchObject({
      code: 'ERR_TPM_MALFORMED',
    });
    await expect(tpm.activateIdentityKey('blob' as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});

describe('a software TPM', () => {
  test('lets a hook fail and delay calls, and serves them in order', async () => {
    const failure = new Error('planned');
    await using tpm = await createSoftwareTpm({
      algorithm: 'ecc',
      onCall: async (call) => {
        await Promise.resolve();
        if (call === 'getStorageRootKey') throw failure;
      },
    });
    const ended = await Promise.allSettled([
      tpm.getEndorsementKey(),
      tpm.getStorageRootKey(),
      tpm.getRegistrationId(),
    ]);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(tpm.calls).toEqual(['getEndorsementKey', 'getStorageRootKey', 'getRegistrationId']);
  });

  test('rejects with the reason of the signal, before and during a call, and goes on', async () => {
    const hang = new Set(['getEndorsementKey']);
    await using tpm = await createSoftwareTpm({
      algorithm: 'ecc',
      onCall: (call) => (hang.has(call) ? new Promise(() => undefined) : undefined),
    });
    const reason = new Error('enough');
    await expect(tpm.getRegistrationId({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(tpm.calls).toEqual([]);
    const controller = new AbortController();
    const stuck = tpm.getEndorsementKey({ signal: controller.signal });
    const next = tpm.getRegistrationId();
    controller.abort(reason);
    await expect(stuck).rejects.toBe(reason);
    expect(await next).toMatch(/^[a-z2-7]{52}$/);
  });

  test('ends every call when it is disposed of', async () => {
    const tpm = await createSoftwareTpm({ algorithm: 'ecc', onCall: () => new Promise(() => undefined) });
    const stuck = tpm.getEndorsementKey();
    const settled = expect(stuck).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    await tpm.dispose();
    await tpm.dispose();
    await settled;
    await expect(tpm.getRegistrationId()).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  });
});
