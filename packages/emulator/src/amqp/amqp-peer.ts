import type { DeviceCredential, DeviceIdentity } from '../core/device-requests.ts';

/** What a connection has proved so far. */
export interface AmqpPeer {
  /** DER of the certificates of the TLS client, its own first; absent when it sent none. */
  readonly certificates: readonly Uint8Array[] | undefined;
  /** The registration that SASL let in, with its token; absent without SASL, or before it is done. */
  registration: (DeviceIdentity & { readonly token: string }) | undefined;
}

/** What a peer says for a registration: its token when SASL let that very one in, else its certificate. */
export function credentialFor(peer: AmqpPeer, identity: DeviceIdentity): DeviceCredential {
  const { registration, certificates } = peer;
  if (registration !== undefined && isSameRegistration(registration, identity)) {
    return { kind: 'token', token: registration.token };
  }
  return certificates === undefined ? { kind: 'none' } : { kind: 'certificate', certificates };
}

function isSameRegistration(left: DeviceIdentity, right: DeviceIdentity): boolean {
  return (
    left.idScope.toLowerCase() === right.idScope.toLowerCase() &&
    left.registrationId.toLowerCase() === right.registrationId.toLowerCase()
  );
}
