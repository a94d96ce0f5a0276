import type { AttestationKind, SecurityClient } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';

/** Throws `ERR_INVALID_ARGUMENT` for anything but one of our security clients of the given kind. */
export function requireClient(securityClient: SecurityClient, kind: AttestationKind): void {
  if (securityClient?.specificationVersion !== 'v1' || securityClient.kind !== kind) {
    throw new InvalidArgumentError(
      'securityClient',
      `must be a SecurityClient of kind ${kind} with specificationVersion v1`,
    );
  }
}
