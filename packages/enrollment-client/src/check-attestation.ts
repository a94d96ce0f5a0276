import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { decodeTpm2bPublic, objectAttributes, recognizeEndorsementKey } from '@endorse/tpm2';

/**
 * Checks what the service would only find out, or not even tell, when the device registers: that the keys of a TPM are
 * a TPM2B_PUBLIC each, of a kind that others can be wrapped for. Throws `ERR_INVALID_ARGUMENT`.
 */
export function checkAttestation(argument: string, attestation: AttestationMechanism): void {
  if (attestation?.type !== 'tpm') return;
  checkTpmPublic(`${argument}.endorsementKey`, attestation.endorsementKey);
  if (attestation.storageRootKey !== undefined) {
    checkTpmPublic(`${argument}.storageRootKey`, attestation.storageRootKey);
  }
}

function checkTpmPublic(argument: string, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new InvalidArgumentError(argument, 'must be a Uint8Array');
  let area;
  try {
    area = decodeTpm2bPublic(bytes);
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    throw new InvalidArgumentError(argument, `must be a TPM2B_PUBLIC${hintFor(bytes)}: ${error.message}`);
  }
  if (area.type !== 'rsa' && area.type !== 'ecc') {
    throw new InvalidArgumentError(argument, `must be an RSA or ECC key, is ${area.type}`);
  }
  const needed = objectAttributes.restricted | objectAttributes.decrypt;
  if ((area.objectAttributes & needed) === needed) return;
  throw new InvalidArgumentError(
    argument,
    'must be a storage key (restricted, decrypt): nothing can be wrapped for another one',
  );
}

/** People have endorsement keys in many forms; the one they gave is worth naming. */
function hintFor(bytes: Uint8Array): string {
  try {
    const { form } = recognizeEndorsementKey(bytes);
    return ` but is in the form ${form}, which tpmEnrollment converts`;
  } catch {
    return '';
  }
}
