import { createHash } from 'node:crypto';
import { isEndorseError } from '@endorse/interface';
import { findRegistrationIdProblem } from '@endorse/protocol';
import {
  decodeTpm2bPublic,
  describeObjectAttributes,
  ekTemplateRsa2048,
  objectAttributes,
  templateDeviations,
} from '@endorse/tpm2';
import { ProvisioningError } from './errors.ts';

/** An endorsement key that can be enrolled. */
export interface EndorsementKey {
  /** TPM2B_PUBLIC. */
  readonly tpm2bPublic: Uint8Array;
  /** First 16 hex digits of the SHA-256, for people. */
  readonly fingerprint: string;
  /** What is unusual about it, in words; empty for a key of the usual template. */
  readonly warnings: readonly string[];
}

/**
 * Checks an endorsement key as a gateway shows it: base64 of a TPM2B_PUBLIC, restricted decryption.
 * Throws `ERR_KEY_UNUSABLE` with a diagnosis: what would be found out only when the device tries to register. A key of
 * another kind than RSA is a warning, since services differ.
 */
export function readEndorsementKey(base64: string): EndorsementKey {
  const text = base64.replaceAll(/\s/g, '');
  const tpm2bPublic = Uint8Array.from(Buffer.from(text, 'base64'));
  if (Buffer.from(tpm2bPublic).toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw unusable('is not base64');
  }
  if (tpm2bPublic.byteLength < 4) throw unusable(`has ${tpm2bPublic.byteLength} bytes`);
  const declared = ((tpm2bPublic[0] ?? 0) << 8) | (tpm2bPublic[1] ?? 0);
  if (declared !== tpm2bPublic.byteLength - 2) {
    throw unusable(
      `says it has ${declared} bytes and has ${tpm2bPublic.byteLength - 2}: a TPM2B_PUBLIC begins with its size`,
    );
  }
  let area;
  try {
    area = decodeTpm2bPublic(tpm2bPublic);
  } catch (error) {
    throw unusable(`is no TPM2B_PUBLIC: ${isEndorseError(error) ? error.message : String(error)}`);
  }
  const deviations = templateDeviations(area, ekTemplateRsa2048);
  const warnings: string[] = [];
  const { restricted, decrypt, sign, fixedTpm } = objectAttributes;
  const hasAll = (mask: number): boolean => (area.objectAttributes & mask) === mask;
  if (!hasAll(restricted | decrypt | fixedTpm) || (area.objectAttributes & sign) !== 0) {
    const found = describeObjectAttributes(area.objectAttributes).join(', ') || 'no attributes';
    throw unusable(`has ${found}: an endorsement key is fixed to its TPM, restricted, and only decrypts`);
  }
  if (area.type !== 'rsa') warnings.push(`it is a key of type ${area.type}, which not every service takes`);
  else if (deviations.length > 0) {
    warnings.push(`it differs from the usual template in ${deviations.map(({ field }) => field).join(', ')}`);
  }
  return { tpm2bPublic, fingerprint: keyFingerprint(tpm2bPublic), warnings };
}

/** First 16 hex digits of the SHA-256 of a key, enough to tell two apart. */
export function keyFingerprint(tpm2bPublic: Uint8Array): string {
  return createHash('sha256').update(tpm2bPublic).digest('hex').slice(0, 16);
}

function unusable(problem: string): ProvisioningError {
  return new ProvisioningError('ERR_KEY_UNUSABLE', `the endorsement key ${problem}`, {
    remedy: 'Check the TPM of the gateway; nothing was enrolled.',
  });
}

/**
 * The registration id of a gateway: the one given, else its serial in lower case. It must suit the service and the
 * gateway, which takes lower-case letters, digits and dashes only. Throws `ERR_REGISTRATION_ID`.
 */
export function registrationIdFor(serial: string, given: string | undefined): string {
  const registrationId = given ?? serial.toLowerCase();
  const problem =
    findRegistrationIdProblem(registrationId) ??
    (/^[a-z0-9-]+$/.test(registrationId)
      ? undefined
      : 'must consist of lower-case letters, digits and dashes: gateways take no others');
  if (problem === undefined) return registrationId;
  throw new ProvisioningError('ERR_REGISTRATION_ID', `the registration id "${registrationId}" ${problem}`, {
    remedy: 'Give the device another registrationId in the inventory.',
  });
}
