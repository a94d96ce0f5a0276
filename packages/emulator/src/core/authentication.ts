/**
 * Who a device is: finds the enrollment that speaks for it and checks what it proves.
 *
 * An individual enrollment comes first; only without one are the groups asked, the oldest first. The first
 * match counts, also when it is disabled: there is no falling through to a later one.
 */
import type { ParsedSasToken } from '@endorse/protocol';
import {
  deriveGroupDeviceKey,
  findRegistrationIdProblem,
  registrationKeyName,
  registrationResource,
  verifySasSignature,
} from '@endorse/protocol';
import type { AuthenticatedDevice, AuthenticationParts } from './authenticated-device.ts';
import { nameMember } from './authenticated-device.ts';
import { authenticateByCertificate } from './certificate-authentication.ts';
import type { DeviceCredential, DeviceIdentity } from './device-requests.ts';
import type { EnrolledDevice } from './enrolled-device.ts';
import type { ServiceFault } from './fault.ts';
import { faults } from './fault.ts';
import type { FaultResponse } from './refusal.ts';
import { isFault, refuse } from './refusal.ts';
import type { EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';
import { findTokenProblem, isSameResource, readToken } from './token-check.ts';

/** Why a request is for nobody here, whatever it proves; undefined when its names are good. */
export function findIdentityFault(idScope: string, request: DeviceIdentity): ServiceFault | undefined {
  if (request.idScope.toLowerCase() !== idScope.toLowerCase()) {
    return faults.notFound(`there is no ID scope ${request.idScope} here, only ${idScope}`);
  }
  const problem = findRegistrationIdProblem(request.registrationId);
  return problem === undefined ? undefined : faults.malformedRequest(`the registration id ${problem}`);
}

/** Checks names and credential of a request. */
export function authenticate(
  parts: AuthenticationParts,
  request: DeviceIdentity & { readonly credential: DeviceCredential },
): AuthenticatedDevice | FaultResponse {
  const fault = findIdentityFault(parts.idScope, request);
  if (fault !== undefined) return refuse(fault);
  const { registrationId, credential } = request;
  const enrollment = parts.store.enrollments.get(registrationId);
  const groups = enrollment === undefined ? [...parts.store.enrollmentGroups.list()] : [];
  if (enrollment === undefined && groups.length === 0) {
    return refuse(faults.enrollmentNotFound(registrationId));
  }
  if (credential.kind === 'certificate') {
    return authenticateByCertificate(parts, { registrationId, enrollment, groups }, credential.certificates);
  }
  const reading = readToken(credential.kind === 'none' ? undefined : credential.token);
  if (!reading.ok) return refuse(faults.unauthorized(reading.reason));
  const { token } = reading;
  const found =
    enrollment === undefined
      ? findMember(parts, groups, registrationId, token)
      : findIndividual(parts, enrollment);
  if (isFault(found)) return found;
  const { keys, ...authenticated } = found;
  const problem = findDeviceTokenProblem(parts, token, authenticated.device, keys);
  return problem === undefined ? authenticated : refuse(faults.unauthorized(problem));
}

/** A device that is yet to prove itself: one of the keys has to have signed its token. */
type Candidate = AuthenticatedDevice & { readonly keys: readonly Uint8Array[] };

function findIndividual(
  { store }: AuthenticationParts,
  enrollment: EnrollmentRecord,
): Candidate | FaultResponse {
  const { attestation, registrationId } = enrollment;
  const common = { outcome: 'authenticated', device: { registrationId }, enrollment } as const;
  switch (attestation.type) {
    case 'tpm': {
      const challenge = store.deviceMemories.get(registrationId)?.challenge;
      if (challenge === undefined)
        return refuse(faults.unauthorized('no challenge was issued that the token could answer'));
      return { ...common, proof: { kind: 'tpm', keys: challenge }, keys: [challenge.key] };
    }
    case 'symmetricKey': {
      const keys = revealKeys(attestation);
      return { ...common, proof: { kind: 'symmetricKey', keys }, keys };
    }
    case 'x509':
    case 'none':
      return refuse(faults.unauthorized('the enrollment is not for a device with a token'));
    default:
      return attestation satisfies never;
  }
}

function findMember(
  parts: AuthenticationParts,
  groups: readonly EnrollmentGroupRecord[],
  registrationId: string,
  token: ParsedSasToken,
): Candidate | FaultResponse {
  // Every group is tried, so that the time taken does not tell which one fits.
  const matches = groups.flatMap((group) => {
    const keys = findDerivedKeys(group, registrationId, token);
    return keys === undefined ? [] : [{ group, keys }];
  });
  const [match] = matches;
  if (match === undefined) {
    const reason = `there is no enrollment ${registrationId}, and the token is signed under the key of no enrollment group`;
    return refuse(faults.unauthorized(reason));
  }
  const { group: enrollment, keys } = match;
  const device = nameMember(parts, registrationId, enrollment);
  return { outcome: 'authenticated', device, enrollment, proof: { kind: 'symmetricKey', keys }, keys };
}

/** Both keys a device derives from those of a group, when one of them signed the token. */
function findDerivedKeys(
  { attestation }: EnrollmentGroupRecord,
  registrationId: string,
  token: ParsedSasToken,
): readonly Uint8Array[] | undefined {
  if (attestation.type !== 'symmetricKey') return undefined;
  const groupKeys = revealKeys(attestation);
  // Whether devices derive from the id as they send it or from its canonical form is up to who provisioned them.
  const spellings = new Set([registrationId, registrationId.toLowerCase()]);
  const pairs = [...spellings].map((id) => groupKeys.map((key) => deriveGroupDeviceKey(key, id)));
  const [signing] = pairs.filter((keys) => keys.filter((key) => verifySasSignature(token, key)).length > 0);
  return signing;
}

function revealKeys({
  primaryKey,
  secondaryKey,
}: Extract<EnrollmentRecord['attestation'], { readonly type: 'symmetricKey' }>): readonly Uint8Array[] {
  return [primaryKey, secondaryKey].flatMap((key) => (key === undefined ? [] : [key.reveal()]));
}

function findDeviceTokenProblem(
  { idScope, clock }: AuthenticationParts,
  token: ParsedSasToken,
  { registrationId }: EnrolledDevice,
  keys: readonly Uint8Array[],
): string | undefined {
  const resource = registrationResource(idScope, registrationId);
  if (!isSameResource(token, resource)) return `the token is for another resource than ${resource}`;
  if (token.keyName?.toLowerCase() !== registrationKeyName)
    return `the token does not say skn=${registrationKeyName}`;
  return findTokenProblem(token, { keys, now: clock.now() });
}
