import { isEndorseError } from '@endorse/interface';
import { splitActivationBlob } from '@endorse/protocol';
import { decodePublic, describeObjectAttributes } from '@endorse/tpm2';

/** One part of an activation blob, for people. */
export interface BlobPart {
  /** As the specification calls it. */
  readonly name: string;
  readonly byteLength: number;
  /** What it is for, and what can be read in it; keys cannot, they are wrapped. */
  readonly says: string;
  /** Its first bytes, in hexadecimal. */
  readonly begins: string;
}

/** Takes an activation blob apart; undefined for bytes that are none, as a fault script makes them. */
export function describeBlob(activationBlob: Uint8Array): readonly BlobPart[] | undefined {
  try {
    const parts = splitActivationBlob(activationBlob);
    const part = (name: string, bytes: Uint8Array, says: string): BlobPart => ({
      name,
      byteLength: bytes.byteLength,
      says,
      begins: Buffer.from(bytes.subarray(0, 12)).toString('hex'),
    });
    return [
      part('TPM2B_ID_OBJECT', parts.idObject, 'the inner key, for this TPM and this storage root key only'),
      part('TPM2B_ENCRYPTED_SECRET', parts.encryptedSecret, 'its seed, encrypted for the endorsement key'),
      part('TPM2B_PRIVATE', parts.duplicate, 'the identity key, inside the inner and the outer wrapper'),
      part(
        'TPM2B_ENCRYPTED_SECRET',
        parts.encryptedSeed,
        'the outer seed, encrypted for the storage root key',
      ),
      part('TPM2B_PUBLIC', parts.publicArea, describePublic(parts.publicArea)),
      part('TPM2B_DATA', parts.encryptedUri, 'a resource, encrypted with the inner key; clients ignore it'),
    ];
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return undefined;
  }
}

function describePublic(bytes: Uint8Array): string {
  const area = decodePublic(bytes);
  const attributes = describeObjectAttributes(area.objectAttributes).join(', ');
  return `${area.type}, ${area.nameAlg}; ${attributes}`;
}
