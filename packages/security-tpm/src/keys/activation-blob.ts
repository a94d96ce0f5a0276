/**
 * An activation blob taken apart completely, and its key's public area checked, before any command is sent.
 * What only the TPM can notice (a wrong recipient, a flipped bit under an HMAC) is left to it.
 */
import { InvalidArgumentError, RemoteProtocolError } from '@endorse/interface';
import { splitActivationBlob } from '@endorse/protocol';
import type { ActivationParts } from '@endorse/protocol';
import {
  computeName,
  decodePublic,
  describeObjectAttributes,
  digestSize,
  objectAttributes,
  TpmDecodeError,
} from '@endorse/tpm2';
import type { KeyedHashPublic } from '@endorse/tpm2';
import { ActivationBlobError } from '../errors.ts';

/** A blob that may be given to the TPM. */
export interface ParsedActivationBlob extends ActivationParts {
  /** Public area of the identity key. */
  readonly area: KeyedHashPublic;
  /** Its Name. */
  readonly name: Uint8Array;
}

const required = objectAttributes.sign | objectAttributes.userWithAuth;
// A key that came from outside cannot be fixed to this TPM; a restricted one cannot sign what we give it.
const forbidden =
  objectAttributes.fixedTpm |
  objectAttributes.fixedParent |
  objectAttributes.restricted |
  objectAttributes.decrypt;

/**
 * Takes a blob apart. Throws `ERR_TPM_BLOB` for anything but six whole parts with the public area of an HMAC-SHA256
 * key, and `ERR_INVALID_ARGUMENT` for what is no bytes.
 */
export function parseActivationBlob(blob: Uint8Array): ParsedActivationBlob {
  if (!(blob instanceof Uint8Array)) throw new InvalidArgumentError('activationBlob', 'must be a Uint8Array');
  const parts = split(blob);
  const area = decodeArea(parts.publicArea);
  const missing = (required & ~area.objectAttributes) >>> 0;
  const excess = (area.objectAttributes & forbidden) >>> 0;
  if (missing !== 0) throw unusable(`lacks the attribute ${describeObjectAttributes(missing).join(', ')}`);
  if (excess !== 0) throw unusable(`has the attribute ${describeObjectAttributes(excess).join(', ')}`);
  if (area.scheme?.scheme !== 'hmac' || area.scheme.hash !== 'sha256')
    throw unusable('is no HMAC-SHA256 key');
  if (area.nameAlg === null) throw unusable('has no name algorithm');
  if (area.unique.byteLength !== digestSize(area.nameAlg)) throw unusable('has a digest of the wrong size');
  return { ...parts, area, name: computeName(area) };
}

/** Checks the key of the inner wrapper, which only the TPM could decrypt. */
export function checkInnerKey(innerKey: Uint8Array): void {
  if (![16, 24, 32].includes(innerKey.byteLength)) {
    throw new ActivationBlobError(
      `the inner wrapper of the activation blob has a key of ${innerKey.byteLength} bytes`,
    );
  }
}

function split(blob: Uint8Array): ActivationParts {
  try {
    return splitActivationBlob(blob);
  } catch (cause) {
    if (cause instanceof RemoteProtocolError) throw new ActivationBlobError(cause.message, { cause });
    throw cause;
  }
}

function decodeArea(bytes: Uint8Array): KeyedHashPublic {
  try {
    const area = decodePublic(bytes);
    if (area.type === 'keyedHash') return area;
    throw unusable(`is of type ${area.type}`);
  } catch (cause) {
    if (cause instanceof TpmDecodeError) {
      throw new ActivationBlobError(`the public area in the activation blob is malformed: ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  }
}

function unusable(problem: string): ActivationBlobError {
  return new ActivationBlobError(`the key in the activation blob ${problem}`);
}
