import { validateIdScope, validateRegistrationId } from '../identifiers/registration-id.ts';

/** A registration as a link address names it. */
export interface RegistrationLink {
  readonly idScope: string;
  readonly registrationId: string;
}

/** Address of both links of a registration, and user name of PLAIN: `{idScope}/registrations/{registrationId}`. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeRegistrationLink({ idScope, registrationId }: RegistrationLink): string {
  return `${validateIdScope(idScope)}/registrations/${validateRegistrationId(registrationId)}`;
}

/**
 * Reads the address of a registration's link, or the user name of PLAIN; undefined for any other. With or without a
 * scheme and host (the C client) and a leading slash (Java); the names are not validated.
 */
export function parseRegistrationLink(address: string): RegistrationLink | undefined {
  const match = /^(?:amqps?:\/\/[^/]*)?\/?([^/]+)\/registrations\/([^/]+)\/?$/i.exec(address);
  if (match === null) return undefined;
  const [, idScope = '', registrationId = ''] = match;
  return { idScope, registrationId };
}
