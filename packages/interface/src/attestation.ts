import type { Secret } from './secret.ts';

/** How a device proves who it is to the service. */
export type AttestationKind = 'tpm' | 'symmetric-key' | 'x509';

/** Every {@link AttestationKind}, in the order they are documented. */
export const attestationKinds: readonly AttestationKind[] = Object.freeze(['tpm', 'symmetric-key', 'x509']);

/** A certificate that is shown in a TLS handshake, with the key that proves it. */
export interface ClientCertificate {
  /** PEM: the leaf first, then every issuer the peer needs. */
  readonly certificatePem: string;
  /** PEM of the private key. */
  readonly privateKeyPem: Secret;
}

/** What a session needs to know about the attestation when it is opened. */
export type SessionAttestation =
  | { readonly kind: 'tpm' }
  | { readonly kind: 'symmetric-key' }
  | { readonly kind: 'x509'; readonly certificate: ClientCertificate };
