import type { KeyObject } from 'node:crypto';
import { createDecipheriv, createHmac, generateKeyPairSync } from 'node:crypto';
import {
  createSasToken,
  registrationKeyName,
  registrationResource,
  splitActivationBlob,
  splitNonceBlob,
} from '@endorse/protocol';
import type { RsaPublic } from '@endorse/tpm2';
import {
  activateCredentialSoftware,
  computeName,
  decodePublic,
  ekTemplateRsa2048,
  encodeTpm2bPublic,
  importDuplicateSoftware,
  srkTemplateRsa2048,
} from '@endorse/tpm2';

/** The TPM side: EK and SRK as OpenSSL keys, blobs opened by the counterparts in `@endorse/tpm2`. */
export interface SoftwareTpm {
  /** TPM2B_PUBLIC. */
  readonly endorsementKey: Uint8Array;
  /** TPM2B_PUBLIC. */
  readonly storageRootKey: Uint8Array;
  /** The HMAC key inside a blob; throws as a TPM refuses. */
  readonly open: (activationBlob: Uint8Array) => Uint8Array;
  /** The nonce inside a blob of the `/drs/` dialect; throws as a TPM refuses. */
  readonly decryptNonce: (nonceBlob: Uint8Array) => Uint8Array;
}

/** Makes a TPM, about 0.1 s of RSA key generation. */
export function createSoftwareTpm(): SoftwareTpm {
  const ek = rsaKey(ekTemplateRsa2048);
  const srk = rsaKey(srkTemplateRsa2048);
  return {
    endorsementKey: encodeTpm2bPublic(ek.area),
    storageRootKey: encodeTpm2bPublic(srk.area),
    open: (activationBlob) => {
      const { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea } =
        splitActivationBlob(activationBlob);
      const innerKey = activateCredentialSoftware({
        endorsementKey: ek.area,
        privateKey: ek.privateKey,
        objectName: computeName(srk.area),
        idObject,
        encryptedSecret,
      });
      const sensitive = importDuplicateSoftware({
        parent: srk.area,
        privateKey: srk.privateKey,
        publicArea: decodePublic(publicArea),
        innerKey,
        duplicate,
        encryptedSeed,
      });
      return sensitive.sensitive;
    },
    decryptNonce: (nonceBlob) => {
      const { idObject, encryptedSecret, encryptedNonce } = splitNonceBlob(nonceBlob);
      const credential = activateCredentialSoftware({
        endorsementKey: ek.area,
        privateKey: ek.privateKey,
        objectName: computeName(srk.area),
        idObject,
        encryptedSecret,
      });
      if (encryptedNonce === undefined) return credential;
      const name = `aes-${credential.byteLength * 8}-cfb`;
      return Uint8Array.from(createDecipheriv(name, credential, new Uint8Array(16)).update(encryptedNonce));
    },
  };
}

const tpms: SoftwareTpm[] = [];

/** The first, second, … TPM of this test file: the same every time, since making one is slow and using one changes nothing. */
export function softwareTpm(index = 0): SoftwareTpm {
  return (tpms[index] ??= createSoftwareTpm());
}

/** A device token under a key. */
export async function deviceToken(options: {
  readonly idScope: string;
  readonly registrationId: string;
  readonly key: Uint8Array;
  readonly expiresAt: number;
  readonly keyName?: string;
  readonly encoding?: 'percent' | 'raw';
}): Promise<string> {
  const { idScope, registrationId, expiresAt, keyName = registrationKeyName, encoding = 'percent' } = options;
  const resource = registrationResource(idScope, registrationId);
  return sas({ resource, expiresAt, keyName, encoding, key: options.key });
}

/** Any SAS token under a key. */
export async function sas(options: {
  readonly resource: string;
  readonly expiresAt: number;
  readonly key: Uint8Array;
  readonly keyName?: string;
  readonly encoding?: 'percent' | 'raw';
}): Promise<string> {
  const { key, ...rest } = options;
  const sign = async (data: Uint8Array): Promise<Uint8Array> =>
    createHmac('sha256', key).update(data).digest();
  return (await createSasToken({ ...rest, sign })).revealText();
}

function rsaKey(template: RsaPublic): { readonly area: RsaPublic; readonly privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const modulus = Buffer.from(privateKey.export({ format: 'jwk' }).n ?? '', 'base64url');
  return { area: { ...template, unique: Uint8Array.from(modulus) }, privateKey };
}
