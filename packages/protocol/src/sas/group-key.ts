import { createHmac } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import { validateRegistrationId } from '../identifiers/registration-id.ts';

/**
 * Derives the key of one device from the key of its enrollment group:
 * HMAC-SHA256 under the group key of the registration id, as sent by the device. 32 bytes.
 * Throws `ERR_OUT_OF_RANGE` unless the group key has 16 to 64 bytes.
 */
export function deriveGroupDeviceKey(groupKey: Uint8Array, registrationId: string): Uint8Array {
  if (!(groupKey instanceof Uint8Array) || groupKey.byteLength < 16 || groupKey.byteLength > 64) {
    throw new InvalidArgumentError('groupKey', 'must have 16 to 64 bytes', 'ERR_OUT_OF_RANGE');
  }
  return Uint8Array.from(
    createHmac('sha256', groupKey).update(validateRegistrationId(registrationId)).digest(),
  );
}
