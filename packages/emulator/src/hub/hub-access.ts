/** The hub's door: whom a credential lets in, and until when. */
import { createHash } from 'node:crypto';
import { findTokenProblem, readToken, splitHostResource } from '../core/token-check.ts';
import type { HubRefusal } from './hub-fault.ts';
import { hubRefusals } from './hub-fault.ts';
import type { HubDevice } from './hub-store.ts';

/** Who a device says it is, and how it proves that. */
export interface HubCredential {
  readonly deviceId: string;
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  /** DER of the certificate that the TLS client proved to be its own; asked only without a token. */
  readonly certificate?: Uint8Array | undefined;
}

/** A device that may come in. */
export interface HubAccess {
  readonly outcome: 'granted';
  readonly device: HubDevice;
  /** When its token expires, in milliseconds since 1970; absent for a certificate. */
  readonly expiresAt?: number;
}

/** Checks a credential against the identity of the device it is for. */
export function checkHubAccess(
  credential: HubCredential,
  device: HubDevice | undefined,
  hosts: ReadonlySet<string>,
  now: number,
): HubAccess | HubRefusal {
  const access = checkCredential(credential, device, hosts, now);
  // Said to the device itself only: to anybody else it is none of their business.
  if (access.outcome === 'granted' && access.device.isBlocked === true) {
    return hubRefusals.unauthorized('the device is blocked on this hub');
  }
  return access;
}

function checkCredential(
  { deviceId, token, certificate }: HubCredential,
  device: HubDevice | undefined,
  hosts: ReadonlySet<string>,
  now: number,
): HubAccess | HubRefusal {
  if ((token ?? '') === '' && certificate !== undefined) {
    const thumbprint = createHash('sha256').update(certificate).digest('hex').toUpperCase();
    return device?.thumbprints?.includes(thumbprint) === true
      ? { outcome: 'granted', device }
      : hubRefusals.unauthorized('the client certificate is not that of the device');
  }
  const reading = readToken(token);
  if (!reading.ok) return hubRefusals.unauthorized(reading.reason);
  const { host, path } = splitHostResource(reading.token.resource);
  if (!hosts.has(host)) {
    return hubRefusals.unauthorized(`the token is for another host than ${[...hosts].join(', ')}`);
  }
  // The official Rust client lower-cases the resource, device id included.
  if (path.toLowerCase() !== `devices/${deviceId}`.toLowerCase()) {
    return hubRefusals.unauthorized('the token is for another device');
  }
  if (device === undefined) {
    return hubRefusals.unauthorized(`there is no device ${deviceId} on this hub`);
  }
  const problem = findTokenProblem(reading.token, { keys: device.keys, now });
  if (problem !== undefined) return hubRefusals.unauthorized(problem);
  return { outcome: 'granted', device, expiresAt: reading.token.expiresAtSeconds * 1000 };
}
