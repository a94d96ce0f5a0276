import type { ChallengeRequest, RegistrationInfo, SessionAttestation } from '@endorse/interface';
import type {
  AzurePollingTransport,
  AzureRegistrationRequest,
  AzureSymmetricKeyProvisioningTransport,
  AzureTpmProvisioningTransport,
} from '../azure-types.ts';
import type { ForeignCallback } from '../callbacks.ts';
import { toAzureX509 } from '../certificate.ts';
import { carriesSymmetricKey, carriesTpm, carriesX509 } from './manifest.ts';

/** How an attestation is shown to a transport of the official SDK, whose setters have to come in the right order. */
export interface Credentials {
  /** Asks for a challenge; a TPM only. */
  challenge?(
    keys: ChallengeRequest,
    request: AzureRegistrationRequest,
    callback: ForeignCallback<readonly [Buffer?]>,
  ): void;
  /** Sets what goes into the body of a register request. */
  announce?(info: RegistrationInfo): void;
  /** Sets a token; calls back when it is in use. */
  present(request: AzureRegistrationRequest, sasToken: string, callback: ForeignCallback<readonly []>): void;
}

/**
 * The credentials of an attestation, a certificate being set at once; undefined when the transport does not carry it.
 * Throws what its setters throw.
 */
export function createCredentials(
  transport: AzurePollingTransport,
  attestation: SessionAttestation,
): Credentials | undefined {
  switch (attestation.kind) {
    case 'tpm':
      return carriesTpm(transport) ? new TpmCredentials(transport) : undefined;
    case 'symmetric-key':
      return carriesSymmetricKey(transport) ? { present: setToken(transport) } : undefined;
    case 'x509':
      if (!carriesX509(transport)) return undefined;
      transport.setAuthentication(toAzureX509(attestation.certificate));
      return { present: (_request, _sasToken, callback) => callback() };
    default:
      return attestation satisfies never;
  }
}

class TpmCredentials implements Credentials {
  readonly #transport: AzureTpmProvisioningTransport;

  constructor(transport: AzureTpmProvisioningTransport) {
    this.#transport = transport;
  }

  challenge(
    keys: ChallengeRequest,
    request: AzureRegistrationRequest,
    callback: ForeignCallback<readonly [Buffer?]>,
  ): void {
    // The official HTTP transport keeps its token for good, and would send it with the challenge.
    if (carriesSymmetricKey(this.#transport)) this.#transport.setSharedAccessSignature('');
    this.#setKeys(keys);
    this.#transport.getAuthenticationChallenge(request, callback);
  }

  /** Again, because after a lost connection this may be another transport than the one that was challenged. */
  announce({ endorsementKey, storageRootKey }: RegistrationInfo): void {
    if (endorsementKey !== undefined && storageRootKey !== undefined) {
      this.#setKeys({ endorsementKey, storageRootKey });
    }
  }

  /** On AMQP this finishes the handshake. */
  present(request: AzureRegistrationRequest, sasToken: string, callback: ForeignCallback<readonly []>): void {
    this.#transport.respondToAuthenticationChallenge(request, sasToken, callback);
  }

  #setKeys(keys: Pick<ChallengeRequest, 'endorsementKey' | 'storageRootKey'>): void {
    this.#transport.setTpmInformation(Buffer.from(keys.endorsementKey), Buffer.from(keys.storageRootKey));
  }
}

function setToken(transport: AzureSymmetricKeyProvisioningTransport): Credentials['present'] {
  return (_request, sasToken, callback) => {
    transport.setSharedAccessSignature(sasToken);
    callback();
  };
}
