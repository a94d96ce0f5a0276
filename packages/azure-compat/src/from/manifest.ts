import type { AttestationKind, TransportCapabilities } from '@endorse/interface';
import { InvalidArgumentError, attestationKinds } from '@endorse/interface';
import type {
  AzurePollingTransport,
  AzureSymmetricKeyProvisioningTransport,
  AzureTpmProvisioningTransport,
  AzureX509ProvisioningTransport,
} from '../azure-types.ts';
import { requireMethods } from '../required-methods.ts';

/** The methods by which a transport shows that it carries an attestation; official clients look for the first of each. */
const methods = {
  tpm: ['getAuthenticationChallenge', 'setTpmInformation', 'respondToAuthenticationChallenge'],
  'symmetric-key': ['setSharedAccessSignature'],
  x509: ['setAuthentication'],
} as const satisfies Record<AttestationKind, readonly string[]>;

/** What is known of the official transports by the names of their classes: several copies of the SDK may be loaded. */
const officialTransports: ReadonlyMap<string, Pick<TransportCapabilities, 'carrier' | 'challenge'>> = new Map(
  [
    ['Http', { carrier: 'http', challenge: 'request' }],
    ['Amqp', { carrier: 'amqp', challenge: 'handshake' }],
    ['AmqpWs', { carrier: 'amqp-ws', challenge: 'handshake' }],
    ['Mqtt', { carrier: 'mqtt', challenge: 'none' }],
    ['MqttWs', { carrier: 'mqtt-ws', challenge: 'none' }],
  ],
);

/**
 * Says what a transport of the official SDK carries, from the methods it has.
 *
 * Throws `ERR_INVALID_ARGUMENT` for an object that cannot register, or that carries no attestation at all.
 */
export function readManifest(
  transport: AzurePollingTransport,
  given: Partial<Pick<TransportCapabilities, 'carrier' | 'challenge'>>,
): TransportCapabilities {
  requireMethods('transport', transport, [
    'registrationRequest',
    'queryOperationStatus',
    'cancel',
    'disconnect',
  ]);
  const attestations = attestationKinds.filter((kind) => findMissing(transport, kind) === undefined);
  if (attestations.length === 0) {
    throw new InvalidArgumentError('transport', 'has the methods of no attestation');
  }
  const missing = attestationKinds.filter((kind) => !attestations.includes(kind));
  const known = officialTransports.get(transport.constructor.name);
  // A handshake is right for every carrier: after a lost connection it asks for a new challenge.
  const challenge = given.challenge ?? known?.challenge ?? 'handshake';
  return Object.freeze({
    carrier: given.carrier ?? known?.carrier ?? 'azure',
    attestations: Object.freeze(attestations),
    refusals: Object.freeze(
      Object.fromEntries(
        missing.map((kind) => [kind, `their transport has no method ${findMissing(transport, kind)}`]),
      ),
    ),
    challenge: attestations.includes('tpm') ? challenge : 'none',
    proxy: false,
  });
}

/** True for a transport that carries a TPM. */
export function carriesTpm(transport: AzurePollingTransport): transport is AzureTpmProvisioningTransport {
  return findMissing(transport, 'tpm') === undefined;
}

/** True for a transport that carries shared keys. */
export function carriesSymmetricKey(
  transport: AzurePollingTransport,
): transport is AzureSymmetricKeyProvisioningTransport {
  return findMissing(transport, 'symmetric-key') === undefined;
}

/** True for a transport that carries certificates. */
export function carriesX509(transport: AzurePollingTransport): transport is AzureX509ProvisioningTransport {
  return findMissing(transport, 'x509') === undefined;
}

function findMissing(transport: object, kind: AttestationKind): string | undefined {
  return methods[kind].find((name) => typeof Reflect.get(transport, name) !== 'function');
}
