/**
 * A nonce, encrypted so that only one TPM can read it, as the `/drs/` dialect carries it. Two forms:
 *
 * | form           | parts                                  | the nonce is                                       |
 * |----------------|----------------------------------------|----------------------------------------------------|
 * | credential     | TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET | what TPM2_ActivateCredential returns               |
 * | encrypted data | the six of an activation blob          | the sixth, AES-CFB under what it returns, IV zero  |
 *
 * A six-part blob whose sixth part is empty is a credential too: there is nothing else in it to be the nonce.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';
import { splitActivationBlob, type ActivationParts } from './activation-blob.ts';

/** A nonce blob, taken apart. */
export interface NonceParts extends Pick<ActivationParts, 'idObject' | 'encryptedSecret'> {
  /** The nonce under the credential, AES-CFB with a zero IV; absent when the credential is the nonce. */
  readonly encryptedNonce?: Uint8Array;
}

/**
 * Takes a nonce blob apart. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE` for one that is truncated, has a part
 * outside its bounds or bytes left over.
 */
export function splitNonceBlob(blob: Uint8Array): NonceParts {
  const credential = splitCredential(blob);
  if (credential !== undefined) return credential;
  const { idObject, encryptedSecret, encryptedUri } = splitActivationBlob(blob);
  return {
    idObject,
    encryptedSecret,
    ...(encryptedUri.byteLength === 0 ? {} : { encryptedNonce: encryptedUri }),
  };
}

/** Puts a nonce blob of the credential form together; the other form is an activation blob. Throws `ERR_OUT_OF_RANGE`. */
export function joinCredentialNonceBlob({
  idObject,
  encryptedSecret,
}: Pick<NonceParts, 'idObject' | 'encryptedSecret'>): Uint8Array {
  const parts = { idObject, encryptedSecret };
  for (const [name, maxBytes] of Object.entries(maxPartBytes)) {
    const { byteLength } = parts[name as keyof typeof parts];
    if (byteLength < 1 || byteLength > maxBytes) {
      const problem = `must have 1 to ${maxBytes} bytes, has ${byteLength}`;
      throw new InvalidArgumentError(`parts.${name}`, problem, 'ERR_OUT_OF_RANGE');
    }
  }
  return Uint8Array.from(Buffer.concat([idObject, encryptedSecret].flatMap(sized)));
}

const maxPartBytes = { idObject: 132, encryptedSecret: 512 } as const;

/** Exactly two parts and nothing behind them; undefined for anything else. */
function splitCredential(blob: Uint8Array): NonceParts | undefined {
  const idBytes = uint16(blob, 0);
  const secretAt = 2 + idBytes;
  if (secretAt + 2 > blob.byteLength || secretAt + 2 + uint16(blob, secretAt) !== blob.byteLength) {
    return undefined;
  }
  const idObject = Uint8Array.from(blob.subarray(2, secretAt));
  const encryptedSecret = Uint8Array.from(blob.subarray(secretAt + 2));
  check('idObject', idObject);
  check('encryptedSecret', encryptedSecret);
  return { idObject, encryptedSecret };
}

function check(name: keyof typeof maxPartBytes, part: Uint8Array): void {
  if (part.byteLength >= 1 && part.byteLength <= maxPartBytes[name]) return;
  const problem = `declares ${part.byteLength} bytes, must be 1 to ${maxPartBytes[name]}`;
  throw malformed('nonce blob', `$.${name}`, problem);
}

function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function sized(part: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(part.byteLength >> 8, part.byteLength & 0xff), part];
}
