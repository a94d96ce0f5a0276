import type { SessionAttestation, Transport } from '@endorse/interface';
import {
  InvalidArgumentError,
  Secret,
  UnsupportedCapabilityError,
  attestationKinds,
} from '@endorse/interface';
import type {
  AzureErrorCallback,
  AzurePollingTransport,
  AzureProvisioningTransport,
  AzureRegistrationRequest,
  AzureTransportOptions,
  AzureX509,
} from '../azure-types.ts';
import { answer, requireCallback } from '../callbacks.ts';
import { fromAzureX509 } from '../certificate.ts';
import { AzureRequests } from './requests.ts';

/**
 * Puts one of our transports behind the interfaces that the official `ProvisioningDeviceClient` expects of its own. It
 * has the methods of the attestations that our transport carries and no others: the official client looks for them to
 * find out what it can do, and refuses the rest itself. Each one made serves one device at a time, as the interfaces
 * demand; our transport behind it may be shared.
 *
 * Callbacks are called exactly once. `cancel` aborts the request in flight down to
 * its socket and calls back first; the request then calls back with
 * `RegistrationCancelledError`. Of the transport options, `pollingInterval` is kept and any other is refused with
 * `ERR_UNSUPPORTED_CAPABILITY`: ours take theirs when they are made.
 *
 * Throws `ERR_INVALID_ARGUMENT` for anything but a transport, and `ERR_UNSUPPORTED_CAPABILITY` when it carries nothing.
 */
export function toAzureTransport(transport: Transport): AzureProvisioningTransport<Error> {
  if (transport?.specificationVersion !== 'v1' || typeof transport.openSession !== 'function') {
    throw new InvalidArgumentError('transport', 'must be a Transport with specificationVersion v1');
  }
  const requests = new AzureRequests(transport);
  const { attestations, carrier } = transport.capabilities;
  const carried = attestationKinds.filter((kind) => attestations.includes(kind));
  if (carried.length === 0) {
    throw new UnsupportedCapabilityError(`${carrier} carries no attestation`, {
      required: 'an attestation',
      available: attestations,
    });
  }
  const parts = carried.map((kind) => methodsOf[kind](requests));
  // At least one of the three interfaces is complete; which, only the manifest knows.
  return Object.assign(pollingMethods(requests), ...parts) as AzureProvisioningTransport<Error>;
}

function pollingMethods(requests: AzureRequests): AzurePollingTransport<Error> {
  return {
    registrationRequest(request, callback) {
      requireCallback(callback);
      requests.register(request, callback);
    },
    queryOperationStatus(request, operationId, callback) {
      requireCallback(callback);
      requests.queryOperationStatus(request, operationId, callback);
    },
    cancel(callback) {
      requireCallback(callback);
      // The official client is waiting for this callback, and drops whichever of the two comes second.
      process.nextTick(callback, null);
      requests.cancel();
    },
    disconnect(callback) {
      requireCallback(callback);
      answer(requests.close(), (error) => callback(error));
    },
  };
}

/** The methods by which the official client recognises each attestation. */
const methodsOf: Readonly<Record<SessionAttestation['kind'], (requests: AzureRequests) => object>> = {
  tpm: (requests) => ({
    setTpmInformation(endorsementKey: Buffer, storageRootKey: Buffer): void {
      requests.authenticateWith({ kind: 'tpm' }, { endorsementKey, storageRootKey });
    },
    getAuthenticationChallenge(
      request: AzureRegistrationRequest,
      callback: (error: Error, tpmChallenge?: Buffer) => void,
    ): void {
      requireCallback(callback);
      answer(requests.challenge(request), callback);
    },
    respondToAuthenticationChallenge(
      _request: AzureRegistrationRequest,
      sasToken: string,
      callback: AzureErrorCallback<Error>,
    ): void {
      requireCallback(callback);
      requests.holdToken(Secret.fromText(sasToken));
      process.nextTick(callback, null);
    },
  }),
  'symmetric-key': (requests) => ({
    setSharedAccessSignature(sasToken: string): void {
      requests.authenticateWith({ kind: 'symmetric-key' });
      requests.holdToken(Secret.fromText(sasToken));
    },
  }),
  x509: (requests) => ({
    setAuthentication(certificate: AzureX509): void {
      requests.authenticateWith({ kind: 'x509', certificate: fromAzureX509(certificate) });
    },
    setTransportOptions(options: AzureTransportOptions): void {
      const { pollingInterval, ...others } = options;
      const [foreign] = Object.entries(others).filter(([, value]) => value !== undefined);
      if (foreign !== undefined) {
        throw new UnsupportedCapabilityError(
          `${foreign[0]} is no option of this transport`,
          { required: foreign[0], available: ['pollingInterval'] },
          { remedy: 'Give the options of a connection to the transport that is adapted.' },
        );
      }
      if (pollingInterval === undefined) return;
      if (!(pollingInterval >= 0)) throw new InvalidArgumentError('pollingInterval', 'must be milliseconds');
      requests.pollingIntervalMs = pollingInterval;
    },
  }),
};
