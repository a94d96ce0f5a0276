/**
 * Nonces of the `/drs/` dialect, decrypted by a TPM. The data form is the one of the service's first sample
 * (microsoft/TSS.MSR, TSS.Java samples DrsServer and DrsClient); its cipher is OpenSSL's here.
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { systemRandom } from '@endorse/interface/node';
import { joinActivationBlob, joinCredentialNonceBlob } from '@endorse/protocol';
import type { TpmSecurityClientHandle } from '@endorse/security-tpm';
import { computeName, createActivation, decodeTpm2bPublic, makeCredential } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm } from './support/client-fixture.ts';

/** A blob whose first parts hold `credential`. */
async function credentialBlob(client: TpmSecurityClientHandle, credential: Uint8Array): Promise<Uint8Array> {
  const endorsementKey = decodeTpm2bPublic(await client.getEndorsementKey());
  const objectName = computeName(decodeTpm2bPublic(await client.getStorageRootKey()));
  return joinCredentialNonceBlob(
    makeCredential({ endorsementKey, objectName, credential, random: systemRandom }),
  );
}

/** A six-part blob with data under a credential of `keyBytes`; the data is encrypted by OpenSSL. */
async function dataBlob(
  client: TpmSecurityClientHandle,
  nonce: Uint8Array,
  keyBytes: 16 | 32,
): Promise<Uint8Array> {
  const endorsementKey = decodeTpm2bPublic(await client.getEndorsementKey());
  const storageRootKey = decodeTpm2bPublic(await client.getStorageRootKey());
  const credential = randomBytes(keyBytes);
  const sealed = makeCredential({
    endorsementKey,
    objectName: computeName(storageRootKey),
    credential,
    random: systemRandom,
  });
  const cipher = createCipheriv(`aes-${keyBytes * 8}-cfb`, credential, new Uint8Array(16));
  // The key in the middle is for somebody else: a nonce does not need it.
  const rest = createActivation({
    endorsementKey,
    storageRootKey,
    key: randomBytes(32),
    random: systemRandom,
  });
  const encryptedUri = Uint8Array.from(cipher.update(nonce));
  return joinActivationBlob({ ...rest, ...sealed, encryptedUri });
}

describe.each(['protected', 'none'] as const)('with sessions: %s', (sessions) => {
  test('a nonce of either form is decrypted; the identity key stays, and nothing is left loaded', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open({ sessions });
    const key = await activateFresh(client);
    const nonce = randomBytes(32);
    const long = randomBytes(500);
    expect(Buffer.from((await client.decryptNonce(await credentialBlob(client, nonce))).reveal())).toEqual(
      nonce,
    );
    for (const keyBytes of [16, 32] as const) {
      const decrypted = await client.decryptNonce(await dataBlob(client, long, keyBytes));
      expect(Buffer.from(decrypted.reveal())).toEqual(long);
    }
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    await client.close();
    const { transient, loadedSessions } = await tpm.snapshot();
    expect([transient, loadedSessions]).toEqual([[], []]);
  });
});

test('a nonce for another TPM is refused by the TPM, and nothing is left loaded', async () => {
  await using tpm = await startTpm();
  // The provisioned one is a copy, with the same seeds; this one has its own.
  await using other = await startTpm({});
  const client = await tpm.open();
  const blob = await credentialBlob(await other.open(), randomBytes(32));
  await expect(client.decryptNonce(blob)).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_TPM_/) as unknown,
    command: 'ActivateCredential',
  });
  await client.close();
  const { transient, loadedSessions } = await tpm.snapshot();
  expect([transient, loadedSessions]).toEqual([[], []]);
});

test('a flipped bit is refused by the TPM', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const blob = await credentialBlob(client, randomBytes(32));
  blob[40] = (blob[40] ?? 0) ^ 1;
  await expect(client.decryptNonce(blob)).rejects.toMatchObject({ code: 'ERR_TPM_INTEGRITY' });
});

test('data under a credential that is no key is refused after the TPM opened it', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const whole = await dataBlob(client, randomBytes(8), 16);
  const short = await credentialBlob(client, randomBytes(20));
  const blob = Uint8Array.from(Buffer.concat([short, whole.subarray(short.byteLength)]));
  await expect(client.decryptNonce(blob)).rejects.toMatchObject({ code: 'ERR_TPM_BLOB' });
});

test.each([new Uint8Array(0), new Uint8Array(20), new Uint8Array(9000).fill(1)])(
  'what is no nonce blob is refused without a command (%#)',
  async (blob) => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    tpm.interposer.passed.length = 0;
    await expect(client.decryptNonce(blob)).rejects.toMatchObject({ code: 'ERR_TPM_BLOB' });
    await expect(client.decryptNonce('blob' as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    expect(tpm.interposer.passed).toEqual([]);
  },
);

test('an abort rejects with its reason', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const blob = await credentialBlob(client, randomBytes(32));
  const reason = new Error('not now');
  await expect(client.decryptNonce(blob, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
