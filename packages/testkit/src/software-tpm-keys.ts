import type { KeyObject } from 'node:crypto';
import { createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { EccPublic, PublicArea, RsaPublic } from '@endorse/tpm2';
import { encodeTpm2bPublic, templates } from '@endorse/tpm2';

/** The two key pairs of a software TPM. */
export interface SoftwareTpmKeys {
  /** TPM2B_PUBLIC of the endorsement key, 316 bytes for RSA. */
  readonly endorsementKey: Uint8Array;
  readonly endorsementArea: PublicArea;
  readonly endorsementPrivateKey: KeyObject;
  /** TPM2B_PUBLIC of the storage root key, 284 bytes for RSA. */
  readonly storageRootKey: Uint8Array;
  readonly storageRootArea: PublicArea;
  readonly storageRootPrivateKey: KeyObject;
}

/** Which EK and SRK templates a software TPM follows. */
export type SoftwareTpmAlgorithm = 'rsa' | 'ecc';

/** Makes the EK and SRK of a new software TPM: RSA-2048 (about 0.2 s) or ECC P-256 (about 1 ms). */
export async function generateSoftwareTpmKeys(
  algorithm: SoftwareTpmAlgorithm = 'rsa',
): Promise<SoftwareTpmKeys> {
  const template = templates[algorithm === 'rsa' ? 'tcg' : 'ecc'];
  const [endorsement, storageRoot] = await Promise.all([
    generate(template.endorsementKey),
    generate(template.storageRootKey),
  ]);
  return Object.freeze({
    endorsementKey: encodeTpm2bPublic(endorsement.area),
    endorsementArea: endorsement.area,
    endorsementPrivateKey: endorsement.privateKey,
    storageRootKey: encodeTpm2bPublic(storageRoot.area),
    storageRootArea: storageRoot.area,
    storageRootPrivateKey: storageRoot.privateKey,
  });
}

const generatePair = promisify(generateKeyPair);

interface Pair {
  readonly area: PublicArea;
  readonly privateKey: KeyObject;
}

async function generate(template: PublicArea): Promise<Pair> {
  switch (template.type) {
    case 'rsa':
      return rsaPair(template);
    case 'ecc':
      return eccPair(template);
    default:
      throw new TypeError(`no endorsement key is of type ${template.type}`);
  }
}

async function rsaPair(template: RsaPublic): Promise<Pair> {
  const { privateKey } = await generatePair('rsa', { modulusLength: template.keyBits });
  return { area: { ...template, unique: coordinate(privateKey, 'n') }, privateKey };
}

async function eccPair(template: EccPublic): Promise<Pair> {
  const { privateKey } = await generatePair('ec', { namedCurve: 'P-256' });
  const unique = { x: coordinate(privateKey, 'x'), y: coordinate(privateKey, 'y') };
  return { area: { ...template, unique }, privateKey };
}

/** A number of the public key, as OpenSSL prints it: fixed length, most significant byte first. */
function coordinate(privateKey: KeyObject, name: 'n' | 'x' | 'y'): Uint8Array {
  return Uint8Array.from(
    Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' })[name] ?? '', 'base64url'),
  );
}
