import type { JsonObject, ProtocolEvidence } from '@endorse/interface';
import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import { decodeEnrollmentGroup, decodeIndividualEnrollment } from '@endorse/protocol';
import { isFault } from '../core/refusal.ts';
import type { EmulatorStore } from '../core/store.ts';
import type { EnrollmentGroupService } from '../service-api/enrollment-group-service.ts';
import type { EnrollmentService, ServiceResponse } from '../service-api/enrollment-service.ts';
import type { CaCertificate } from '../service-api/x509-enrollment.ts';
import type { EmulatorSeed } from './seed.ts';

/** What seeds are written with. */
export interface SeedParts {
  readonly store: EmulatorStore;
  readonly enrollments: Pick<EnrollmentService, 'write'>;
  readonly enrollmentGroups: Pick<EnrollmentGroupService, 'write'>;
  readonly uploadCaCertificate: (ca: CaCertificate) => void;
}

/**
 * Writes what a seed holds and the emulator does not have yet, as the service API would.
 * Throws `ERR_INVALID_ARGUMENT` that names the member, for example `enrollments[0].attestation.tpm.endorsementKey`.
 */
export function applySeed(parts: SeedParts, seed: EmulatorSeed): void {
  const { caCertificates = [], enrollments = [], enrollmentGroups = [] } = seed;
  for (const [index, ca] of caCertificates.entries()) {
    if (parts.store.caCertificates.get(ca.name) !== undefined) continue;
    at(`caCertificates[${index}]`, () => parts.uploadCaCertificate(ca));
  }
  for (const [index, given] of enrollmentGroups.entries()) {
    write(`enrollmentGroups[${index}]`, given, (text) =>
      parts.enrollmentGroups.write(decodeEnrollmentGroup(text), undefined),
    );
  }
  for (const [index, given] of enrollments.entries()) {
    write(`enrollments[${index}]`, given, (text) =>
      parts.enrollments.write(decodeIndividualEnrollment(text), undefined),
    );
  }
}

function write(where: string, given: JsonObject, put: (text: string) => ServiceResponse): void {
  const response = at(where, () => put(JSON.stringify(given)));
  if (!isFault(response)) return;
  const { status, message, reason } = response.fault;
  // It is there already, and may have been changed since.
  if (status === 409) return;
  throw new InvalidArgumentError(
    where,
    `is refused: ${message}${reason === undefined ? '' : ` (${reason})`}`,
  );
}

/** Names the place in the seed in whatever is thrown. */
function at<Result>(where: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || !isEndorseError(error)) throw error;
    const { path = '' } = (error as { readonly evidence?: ProtocolEvidence }).evidence ?? {};
    const member = path.replace(/^\$\.?/, '');
    // `cannot decode the …: <path> <problem>`; where there is no path, the message is all there is.
    const problem = path === '' ? `is refused: ${error.message}` : error.message.split(`${path} `).at(-1);
    throw new InvalidArgumentError(member === '' ? where : `${where}.${member}`, problem ?? error.message);
  }
}
