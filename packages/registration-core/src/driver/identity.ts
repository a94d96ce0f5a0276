import type { RegistrationInfo, SecurityClient, SessionAttestation } from '@endorse/interface';
import { validateRegistrationId } from '@endorse/protocol';

/** What a security client told about itself. */
export interface Identity {
  readonly registrationId: string;
  /** For `openSession`. */
  readonly attestation: SessionAttestation;
  /** The TPM's public keys; absent for other kinds. */
  readonly tpm?: Required<Pick<RegistrationInfo, 'endorsementKey' | 'storageRootKey'>>;
}

/** Reads the public identity, one call after the other: a TPM serves one at a time anyway. */
export async function readIdentity(client: SecurityClient, signal: AbortSignal): Promise<Identity> {
  switch (client.kind) {
    case 'tpm': {
      const endorsementKey = await client.getEndorsementKey({ signal });
      const storageRootKey = await client.getStorageRootKey({ signal });
      return {
        registrationId: await readRegistrationId(client, signal),
        attestation: { kind: 'tpm' },
        tpm: { endorsementKey, storageRootKey },
      };
    }
    case 'symmetric-key':
      return {
        registrationId: await readRegistrationId(client, signal),
        attestation: { kind: 'symmetric-key' },
      };
    case 'x509': {
      const registrationId = await readRegistrationId(client, signal);
      const certificate = await client.getCertificate({ signal });
      return { registrationId, attestation: { kind: 'x509', certificate } };
    }
    default:
      return client satisfies never;
  }
}

async function readRegistrationId(client: SecurityClient, signal: AbortSignal): Promise<string> {
  return validateRegistrationId(
    await client.getRegistrationId({ signal }),
    'securityClient.getRegistrationId()',
  );
}
