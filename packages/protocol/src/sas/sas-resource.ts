import { InvalidArgumentError } from '@endorse/interface';
import { formatHostPort, parseHostPort } from '../identifiers/host-port.ts';
import { validateDeviceId, validateIdScope, validateRegistrationId } from '../identifiers/registration-id.ts';

/** How a resource is written into `sr`: percent-encoded (`%2F`), or as it is, the way the official Node client signs with a symmetric key. */
export type SasResourceEncoding = 'percent' | 'raw';

/** Resource of a device's token for the provisioning service: `{idScope}/registrations/{registrationId}`. */
export function registrationResource(idScope: string, registrationId: string): string {
  return `${validateIdScope(idScope)}/registrations/${validateRegistrationId(registrationId)}`;
}

/** Resource of a device's token for its hub: `{host[:port]}/devices/{deviceId}`. */
export function hubDeviceResource(hubHost: string, deviceId: string): string {
  return `${normaliseHost(hubHost, 'hubHost')}/devices/${validateDeviceId(deviceId)}`;
}

/** Resource of a token for the service API: the host, with a port only when it is not 443. */
export function serviceResource(serviceHost: string): string {
  return normaliseHost(serviceHost, 'serviceHost');
}

/** Writes a resource as it will stand in `sr` and be signed. Throws `ERR_INVALID_ARGUMENT` when it cannot be written raw. */
export function encodeSasResource(resource: string, encoding: SasResourceEncoding = 'percent'): string {
  switch (encoding) {
    case 'percent':
      return percentEncode(resource);
    case 'raw':
      if (/[&=%\s]/.test(resource)) {
        throw new InvalidArgumentError(
          'resource',
          'must not contain & = % or space when it is not percent-encoded',
        );
      }
      return resource;
    default:
      return unknownEncoding(encoding);
  }
}

/** Percent-encodes everything but RFC 3986 unreserved characters, with upper-case hex. Throws `ERR_INVALID_ARGUMENT` for half a surrogate pair. */
export function percentEncode(text: string): string {
  if (!text.isWellFormed()) throw new InvalidArgumentError('text', 'must not hold half a surrogate pair');
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * True when a token for `granted` is good for `requested`: equal, or a prefix of it that ends
 * at a path segment (`/a/b` covers `/a/b/c`, not `/a/bc`). Case does not count, as on the service.
 */
export function sasResourceCovers(granted: string, requested: string): boolean {
  const prefix = granted.toLowerCase().replace(/\/+$/, '');
  const full = requested.toLowerCase();
  return prefix !== '' && (full === prefix || full.startsWith(`${prefix}/`));
}

function normaliseHost(host: string, argument: string): string {
  return formatHostPort(parseHostPort(host, { argument }), { defaultPort: 443 });
}

function unknownEncoding(encoding: never): never {
  throw new InvalidArgumentError('encoding', `must be percent or raw, is ${String(encoding)}`);
}
