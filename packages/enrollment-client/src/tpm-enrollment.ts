import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import type { IndividualEnrollment } from '@endorse/protocol';
import { deriveRegistrationId } from '@endorse/protocol';
import { recognizeEndorsementKey } from '@endorse/tpm2';

/** What {@link tpmEnrollment} takes. */
export interface TpmEnrollmentOptions extends Omit<IndividualEnrollment, 'registrationId' | 'attestation'> {
  /**
   * The endorsement key in any form people have it: TPM2B_PUBLIC or TPMT_PUBLIC as bytes or base64, SPKI, PKCS #1 or
   * an endorsement certificate as PEM or DER.
   */
  readonly endorsementKey: Uint8Array | string;
  /** Default: the one every client derives from the endorsement key. */
  readonly registrationId?: string | undefined;
}

/**
 * Makes the enrollment of a device with a TPM from its endorsement key. Throws `ERR_INVALID_ARGUMENT` for a key that is
 * not recognised.
 */
export function tpmEnrollment(options: TpmEnrollmentOptions): IndividualEnrollment {
  const { endorsementKey: given, registrationId, ...settings } = options;
  const endorsementKey = recognize(given);
  return {
    ...settings,
    registrationId: registrationId ?? deriveRegistrationId(endorsementKey),
    attestation: { type: 'tpm', endorsementKey },
  };
}

function recognize(given: Uint8Array | string): Uint8Array {
  try {
    return recognizeEndorsementKey(given).tpm2bPublic;
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    throw new InvalidArgumentError('options.endorsementKey', `is not one: ${error.message}`);
  }
}
