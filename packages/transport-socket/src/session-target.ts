import type { AttestationKind, RegistrationTarget, SessionAttestation } from '@endorse/interface';
import { InvalidArgumentError, UnsupportedCapabilityError } from '@endorse/interface';
import { parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';

/** Whom a session registers with, and where that is. */
export interface SessionTarget {
  /** A frozen copy. */
  readonly target: RegistrationTarget;
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535; the default of the carrier where the host named none. */
  readonly port: number;
}

/** Checks the target of `openSession`; `defaultPort` is the carrier's. Throws `ERR_INVALID_ARGUMENT` by the name of the part. */
export function checkTarget(target: RegistrationTarget, defaultPort: number): SessionTarget {
  if (target === null || typeof target !== 'object')
    throw new InvalidArgumentError('target', 'must be an object');
  const { provisioningHost, idScope, registrationId } = target;
  const { host, port } = parseHostPort(provisioningHost, {
    argument: 'target.provisioningHost',
    defaultPort,
  });
  validateIdScope(idScope, 'target.idScope');
  validateRegistrationId(registrationId, 'target.registrationId');
  return { target: Object.freeze({ provisioningHost, idScope, registrationId }), host, port };
}

/**
 * Checks the attestation of `openSession` and returns its kind, one of those that the carrier has. Throws
 * `ERR_INVALID_ARGUMENT` for none, and `UnsupportedCapabilityError` for another.
 */
export function checkAttestation<Kind extends AttestationKind>(
  carrier: string,
  carried: readonly Kind[],
  attestation: SessionAttestation,
): Kind {
  const kind: unknown = attestation?.kind;
  const known = carried.find((each) => each === kind);
  if (known !== undefined) return known;
  if (typeof kind !== 'string') throw new InvalidArgumentError('attestation', 'must have a kind');
  throw new UnsupportedCapabilityError(`${carrier} does not carry the attestation "${kind.slice(0, 40)}"`, {
    required: kind,
    available: carried,
  });
}
