import type { RandomSource, Secret } from '@endorse/interface';
import { computeName, decodeTpm2bPublic, makeCredential, recognizeEndorsementKey } from '@endorse/tpm2';
import type { Credential, PublicArea } from '@endorse/tpm2';

/** The TPM of a device, by its public keys. */
export interface DeviceTpm {
  readonly endorsementKey: PublicArea;
  /** Hex of the Name of the endorsement key: what tokens and the store know the TPM by. */
  readonly endorsementKeyName: string;
  /** Name of the storage root key, to which the secret is bound beside the endorsement key. */
  readonly storageRootKeyName: Uint8Array;
}

/** A secret that one TPM can read: base64 of what TPM2_ActivateCredential takes. */
export interface WrappedSecret {
  /** Inner bytes of TPM2B_ID_OBJECT. */
  readonly idObject: string;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: string;
}

/**
 * Reads the `tpm` field of a request: `endorsementKey` and `storageRootKey`, base64 of TPM2B_PUBLIC. Undefined for what
 * is unusable, a key included for which no secret can be wrapped: that must not turn out when the device exists.
 */
export function readDeviceTpm(field: unknown, random: RandomSource): DeviceTpm | undefined {
  if (typeof field !== 'object' || field === null) return undefined;
  const { endorsementKey, storageRootKey } = field as Readonly<Record<string, unknown>>;
  if (typeof endorsementKey !== 'string' || typeof storageRootKey !== 'string') return undefined;
  try {
    const { area } = recognizeEndorsementKey(Buffer.from(endorsementKey, 'base64'));
    const root = decodeTpm2bPublic(Buffer.from(storageRootKey, 'base64'));
    const tpm = {
      endorsementKey: area,
      endorsementKeyName: Buffer.from(computeName(area)).toString('hex'),
      storageRootKeyName: computeName(root),
    };
    wrap(tpm, new Uint8Array(secretBytes), random);
    return tpm;
  } catch {
    // Whatever is wrong with the keys, they are no keys of a TPM.
    return undefined;
  }
}

/**
 * Wraps an access secret so that only the TPM with both keys can read it (TPM2_MakeCredential in software). The
 * secret's 32 bytes are what fits a credential under SHA-256.
 */
export function wrapSecret(tpm: DeviceTpm, accessSecret: Secret, random: RandomSource): WrappedSecret {
  const credential = Buffer.from(accessSecret.revealText(), 'base64url');
  try {
    const { idObject, encryptedSecret } = wrap(tpm, credential, random);
    return {
      idObject: Buffer.from(idObject).toString('base64'),
      encryptedSecret: Buffer.from(encryptedSecret).toString('base64'),
    };
  } finally {
    credential.fill(0);
  }
}

/** What fits a credential under SHA-256, and what an access secret has. */
const secretBytes = 32;

function wrap(tpm: DeviceTpm, credential: Uint8Array, random: RandomSource): Credential {
  return makeCredential({
    endorsementKey: tpm.endorsementKey,
    objectName: tpm.storageRootKeyName,
    credential,
    random,
  });
}
