import type { KeyObject } from 'node:crypto';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

/** The two key pairs of a software TPM. */
export interface SoftwareTpmKeys {
  /** TPM2B_PUBLIC of the endorsement key, 316 bytes. */
  readonly endorsementKey: Uint8Array;
  readonly endorsementPrivateKey: KeyObject;
  /** TPM2B_PUBLIC of the storage root key, 284 bytes. */
  readonly storageRootKey: Uint8Array;
  readonly storageRootPrivateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** Makes the RSA-2048 EK and SRK of a new software TPM (about 0.2 s). */
export async function generateSoftwareTpmKeys(): Promise<SoftwareTpmKeys> {
  const [endorsement, storageRoot] = await Promise.all([rsaKey(), rsaKey()]);
  return Object.freeze({
    endorsementKey: tpm2bPublic(endorsementKeyHeader, endorsement),
    endorsementPrivateKey: endorsement,
    storageRootKey: tpm2bPublic(storageRootKeyHeader, storageRoot),
    storageRootPrivateKey: storageRoot,
  });
}

// TPMT_PUBLIC up to the modulus: RSA, SHA-256, attributes, policy, AES-128-CFB, no scheme, 2048 bits, exponent 65537.
const endorsementKeyHeader =
  '0001000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa00060080004300100800000000000100';
const storageRootKeyHeader = '0001000b00030472000000060080004300100800000000000100';

async function rsaKey(): Promise<KeyObject> {
  return (await generate('rsa', { modulusLength: 2048 })).privateKey;
}

function tpm2bPublic(headerHex: string, key: KeyObject): Uint8Array {
  const modulus = Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url');
  const area = Buffer.concat([Buffer.from(headerHex, 'hex'), modulus]);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(area.byteLength);
  return Uint8Array.from(Buffer.concat([size, area]));
}
