/**
 * The bytes of the SASL mechanism `TPM`, inside `initial-response`, `challenge` and `response`.
 *
 * | # | From    | Bytes                                                           |
 * | - | ------- | --------------------------------------------------------------- |
 * | 1 | device  | `00` id scope `00` registration id `00` TPM2B_PUBLIC of the EK  |
 * | 2 | service | `00`: "and the SRK?"                                            |
 * | 3 | device  | `00` TPM2B_PUBLIC of the SRK                                    |
 * | 4 | service | control byte, a segment of the activation blob                  |
 * | 5 | device  | `00` after every segment but the last                           |
 * | 6 | device  | `00` SAS token, once it could load the key                      |
 *
 * Bit 7 of a control byte says "segment", bit 6 "the last one", bits 1 and 0 count the segments from 0.
 */
import type { RemoteProtocolError } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { validateIdScope, validateRegistrationId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { maxTpmPublicBytes } from '../limits.ts';
import { checkSaslInitialResponse, checkSaslResponse } from './sasl-frame.ts';

/** The SASL mechanism of devices with a TPM. */
export const saslTpm = 'TPM';

/** Who a device with a TPM says it is. */
export interface SaslTpmIdentity {
  readonly idScope: string;
  readonly registrationId: string;
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey: Uint8Array;
}

/** A segment of an activation blob. */
export interface SaslTpmSegment {
  /** 0 to 3: the count in the control byte, which starts anew after 3. */
  readonly sequence: number;
  /** True for the one that completes the blob. */
  readonly isLast: boolean;
  readonly data: Uint8Array;
}

/** What the service asks the storage root key with, and the device the next segment. */
export const saslTpmRequest: Uint8Array = Uint8Array.of(0);

/** Writes step 1. Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` when a long id leaves no room for the key. */
export function encodeSaslTpmIdentity({
  idScope,
  registrationId,
  endorsementKey,
}: SaslTpmIdentity): Uint8Array {
  validateIdScope(idScope);
  validateRegistrationId(registrationId);
  const names = new TextEncoder().encode(`\0${idScope}\0${registrationId}\0`);
  return checkSaslInitialResponse(
    saslTpm,
    Buffer.concat([names, checkKey('endorsementKey', endorsementKey)]),
  );
}

/** Reads step 1; the names are not validated. Throws `ERR_REMOTE_MALFORMED`. */
export function decodeSaslTpmIdentity(response: Uint8Array): SaslTpmIdentity {
  const bytes = Buffer.from(response);
  // The key may hold zeros of its own: only the first three separate.
  const afterScope = bytes.indexOf(0, 1);
  const afterId = afterScope < 0 ? -1 : bytes.indexOf(0, afterScope + 1);
  if (bytes[0] !== 0 || afterId < 0) {
    throw malformedTpm('must be 00, id scope, 00, registration id, 00 and the endorsement key');
  }
  return {
    idScope: bytes.toString('utf8', 1, afterScope),
    registrationId: bytes.toString('utf8', afterScope + 1, afterId),
    endorsementKey: takeKey('endorsement key', bytes.subarray(afterId + 1)),
  };
}

/** Writes step 3. Throws `ERR_INVALID_ARGUMENT` or `ERR_LOCAL_UNENCODABLE`. */
export function encodeSaslTpmStorageRootKey(storageRootKey: Uint8Array): Uint8Array {
  return checkSaslResponse(Buffer.concat([saslTpmRequest, checkKey('storageRootKey', storageRootKey)]));
}

/** Reads step 3. Throws `ERR_REMOTE_MALFORMED`. */
export function decodeSaslTpmStorageRootKey(response: Uint8Array): Uint8Array {
  if (response[0] !== 0) throw malformedTpm('must be 00 and the storage root key');
  return takeKey('storage root key', response.subarray(1));
}

/** Writes step 6. Throws `ERR_LOCAL_UNENCODABLE` for a token that no frame has room for. */
export function encodeSaslTpmToken(token: string): Uint8Array {
  return checkSaslResponse(new TextEncoder().encode(`\0${token}`));
}

/** Reads step 6. Throws `ERR_REMOTE_MALFORMED`; no message shows the token. */
export function decodeSaslTpmToken(response: Uint8Array): string {
  if (response.byteLength < 2 || response[0] !== 0) throw malformedTpm('must be 00 and a SAS token');
  return Buffer.from(response).toString('utf8', 1);
}

/** Largest part of an activation blob in one segment, in bytes: what all clients have room for. */
export const maxSaslTpmSegmentBytes = 470;

/**
 * Cuts an activation blob into the challenges of step 4: two, `80` and `C1`, for up to 940 bytes, because the official
 * Java client takes nothing else, then up to four. Throws `ERR_OUT_OF_RANGE` for less than 2 or more than 1880 bytes.
 */
export function encodeSaslTpmSegments(activationBlob: Uint8Array): readonly Uint8Array[] {
  const { byteLength } = activationBlob;
  if (byteLength < 2 || byteLength > 4 * maxSaslTpmSegmentBytes) {
    throw new InvalidArgumentError(
      'activationBlob',
      `must have 2 to ${4 * maxSaslTpmSegmentBytes} bytes`,
      'ERR_OUT_OF_RANGE',
    );
  }
  const count = Math.max(2, Math.ceil(byteLength / maxSaslTpmSegmentBytes));
  const size = Math.min(maxSaslTpmSegmentBytes, byteLength - 1);
  return Array.from({ length: count }, (_unused, sequence) => {
    const isLast = sequence === count - 1;
    const data = activationBlob.subarray(sequence * size, isLast ? undefined : (sequence + 1) * size);
    return Buffer.concat([Uint8Array.of(0x80 | (isLast ? 0x40 : 0) | sequence), data]);
  });
}

/** Reads a challenge of step 4. Throws `ERR_REMOTE_MALFORMED` when its control byte is none. */
export function decodeSaslTpmSegment(challenge: Uint8Array): SaslTpmSegment {
  const control = challenge[0] ?? 0;
  if ((control & 0x80) === 0) {
    throw malformedTpm('must begin with the control byte of a segment, 80 to 83 or C0 to C3');
  }
  return { sequence: control & 0x03, isLast: (control & 0x40) !== 0, data: challenge.subarray(1) };
}

/** The error for bytes that are no part of the mechanism. */
export function malformedTpm(problem: string): RemoteProtocolError {
  return malformed('SASL TPM exchange', saslTpm, problem);
}

function checkKey(argument: string, key: Uint8Array): Uint8Array {
  if (!(key instanceof Uint8Array)) throw new InvalidArgumentError(argument, 'must be a Uint8Array');
  if (key.byteLength > 2 && key.byteLength <= maxTpmPublicBytes) return key;
  throw new InvalidArgumentError(argument, `must have 3 to ${maxTpmPublicBytes} bytes`, 'ERR_OUT_OF_RANGE');
}

function takeKey(what: string, bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > 2 && bytes.byteLength <= maxTpmPublicBytes) return Uint8Array.from(bytes);
  throw malformedTpm(`must hold a TPM2B_PUBLIC as ${what}, 3 to ${maxTpmPublicBytes} bytes`);
}
