import type { SecurityClient } from '@endorse/interface';
import { checkOption } from '../command/check-option.ts';
import type { Verbose } from '../output/verbose.ts';
import type { Identity, SymmetricKeyIdentity, TpmIdentity, X509Identity } from './read-identity.ts';

/** A security client that its opener closes. */
export type OpenSecurityClient = SecurityClient & AsyncDisposable;

/** What opening takes beside the identity. */
export interface OpenIdentityOptions {
  readonly signal: AbortSignal;
  readonly verbose: Verbose;
}

/**
 * Opens the identity; loads the package of its kind, and of no other. Rejects with `UsageError` for what only
 * that package can check, before any IO, and as the package documents.
 */
export function openIdentity(identity: Identity, options: OpenIdentityOptions): Promise<OpenSecurityClient> {
  switch (identity.kind) {
    case 'tpm':
      return openTpm(identity, options);
    case 'symmetric-key':
      return openSymmetricKey(identity);
    case 'x509':
      return openX509(identity, options);
    default:
      return identity satisfies never;
  }
}

async function openTpm(
  identity: TpmIdentity,
  { signal, verbose }: OpenIdentityOptions,
): Promise<OpenSecurityClient> {
  const { createTpmSecurityClient, parseTpmAddress } = await import('@endorse/security-tpm');
  const { kind: _kind, address, registrationId, ...rest } = identity;
  checkOption('tpm', () => parseTpmAddress(address));
  return createTpmSecurityClient({
    tpm: address,
    signal,
    ...rest,
    ...verbose.logging,
    ...verbose.tracing,
    ...(registrationId === undefined ? {} : { registrationId }),
  });
}

async function openSymmetricKey({ registrationId, key }: SymmetricKeyIdentity): Promise<OpenSecurityClient> {
  const { createSymmetricKeySecurityClient } = await import('@endorse/security-symmetric-key');
  try {
    return checkOption('symmetric-key-env', () => createSymmetricKeySecurityClient({ registrationId, key }));
  } finally {
    // The client has a copy.
    key.dispose();
  }
}

async function openX509(
  { kind: _kind, ...identity }: X509Identity,
  { signal }: OpenIdentityOptions,
): Promise<OpenSecurityClient> {
  const { loadX509SecurityClient } = await import('@endorse/security-x509');
  try {
    return await loadX509SecurityClient({ ...identity, signal });
  } finally {
    identity.passphrase?.dispose();
  }
}
