import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ActivationParts } from '@endorse/protocol';
import { joinActivationBlob, splitActivationBlob } from '@endorse/protocol';
import type { TpmFixture } from './fixture.ts';

/** A wrapped key and what it is. */
export interface WrappedKey {
  readonly key: Uint8Array;
  readonly blob: Uint8Array;
}

/** Wraps a fresh key for the fixture's own TPM. */
export async function wrapForTpm({ securityClient, makeActivationBlob }: TpmFixture): Promise<WrappedKey> {
  const key = Uint8Array.from(randomBytes(32));
  const endorsementKey = await securityClient.getEndorsementKey();
  const storageRootKey = await securityClient.getStorageRootKey();
  return { key, blob: await makeActivationBlob({ endorsementKey, storageRootKey, key }) };
}

/** Gives the fixture's TPM a working identity key and returns it. */
export async function activateFresh(fixture: TpmFixture): Promise<Uint8Array> {
  const { key, blob } = await wrapForTpm(fixture);
  await fixture.securityClient.activateIdentityKey(blob);
  return key;
}

/** HMAC-SHA256 as the client has to compute it. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(data).digest());
}

/** The parts of a blob a TPM checks; the sixth is data that clients ignore. */
export const checkedParts: readonly (keyof ActivationParts)[] = [
  'idObject',
  'encryptedSecret',
  'duplicate',
  'encryptedSeed',
  'publicArea',
];

/** The blob with one bit of one part changed: the last one, which belongs to ciphertext or digest everywhere. */
export function flipBit(blob: Uint8Array, part: keyof ActivationParts): Uint8Array {
  const parts = splitActivationBlob(blob);
  const changed = Uint8Array.from(parts[part]);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return joinActivationBlob({ ...parts, [part]: changed });
}

/** Blobs that have lost their form. */
export function malformedBlobs(blob: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const parts = splitActivationBlob(blob);
  const { encryptedSecret, encryptedSeed, idObject, duplicate } = parts;
  const oversized = Uint8Array.from(blob);
  oversized.set([0xff, 0xff]);
  return [
    ['empty', new Uint8Array()],
    ['one byte', blob.subarray(0, 1)],
    ['cut off in the first part', blob.subarray(0, 10)],
    ['cut off in the middle', blob.subarray(0, Math.floor(blob.length / 2))],
    [
      'without its public area',
      blob.subarray(
        0,
        8 + idObject.length + encryptedSecret.length + duplicate.length + encryptedSeed.length,
      ),
    ],
    ['with a size beyond its end', oversized],
    [
      'with its seeds exchanged',
      joinActivationBlob({ ...parts, encryptedSecret: encryptedSeed, encryptedSeed: encryptedSecret }),
    ],
    [
      'with something else as public area',
      joinActivationBlob({ ...parts, publicArea: new Uint8Array(48).fill(0x5a) }),
    ],
    ['far too large', new Uint8Array(100_000).fill(0x01)],
  ];
}

/** The TPM2B_PUBLIC of a key that the TPM does not have: the same template with another RSA modulus or P-256 point. */
export function foreignKey(tpm2bPublic: Uint8Array): Uint8Array {
  const foreign = Uint8Array.from(tpm2bPublic);
  const isRsa = foreign[2] === 0x00 && foreign[3] === 0x01;
  if (isRsa) {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    foreign.set(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'), foreign.length - 256);
    return foreign;
  }
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
    format: 'jwk',
  });
  foreign.set(Buffer.from(x, 'base64url'), foreign.length - 66);
  foreign.set(Buffer.from(y, 'base64url'), foreign.length - 32);
  return foreign;
}
