/** Checks of a request against the session it is made on: one for another registration is a mix-up of the caller. */
import type {
  AttestationKind,
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationTarget,
  Secret,
} from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';

/** What a session was opened with. */
export interface SessionSubject {
  readonly target: RegistrationTarget;
  readonly attestation: AttestationKind;
}

/** Checks a request for a challenge. Throws `ERR_LOCAL_STATE` unless a TPM attests, and `ERR_INVALID_ARGUMENT`. */
export function checkChallengeRequest(
  { target, attestation }: SessionSubject,
  request: ChallengeRequest,
): void {
  if (attestation !== 'tpm') {
    throw new LocalProtocolError('ERR_LOCAL_STATE', `a session for ${attestation} has no challenge`, {
      state: attestation,
    });
  }
  requireSame('request.provisioningHost', request.provisioningHost, target.provisioningHost);
  requireSame('request.idScope', request.idScope, target.idScope);
  requireSame('request.registrationId', request.registrationId, target.registrationId);
}

/** Checks a register request. Throws `ERR_INVALID_ARGUMENT`. */
export function checkRegisterRequest(
  { target, attestation }: SessionSubject,
  { registrationInfo, sasToken }: RegisterRequest,
): void {
  const { registrationId } = registrationInfo;
  requireSame('request.registrationInfo.registrationId', registrationId, target.registrationId);
  checkToken(attestation, sasToken);
}

/** Checks a status request. Throws `ERR_INVALID_ARGUMENT`. */
export function checkStatusRequest(
  { target, attestation }: SessionSubject,
  { registrationId, sasToken }: OperationStatusRequest,
): void {
  requireSame('request.registrationId', registrationId, target.registrationId);
  checkToken(attestation, sasToken);
}

function requireSame(argument: string, given: string, expected: string): void {
  if (given !== expected)
    throw new InvalidArgumentError(argument, 'must be the one the session was opened with');
}

/** A token is a `Secret` of printable ASCII, for it stands in headers and fields; X.509 has none at all. */
function checkToken(attestation: AttestationKind, sasToken: Secret | undefined): void {
  if (attestation === 'x509') {
    if (sasToken === undefined) return;
    throw new InvalidArgumentError('request.sasToken', 'must be absent for X.509');
  }
  if (typeof sasToken?.revealText !== 'function') {
    throw new InvalidArgumentError('request.sasToken', `must be a Secret for ${attestation}`);
  }
  // Anything else would be cut short or refused further down, with an error that may show it.
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(sasToken.revealText())) {
    throw new InvalidArgumentError('request.sasToken', 'must be printable ASCII');
  }
}
