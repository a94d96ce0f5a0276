import type {
  RegistrationTarget,
  SessionAttestation,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { InvalidArgumentError, UnsupportedCapabilityError, attestationKinds } from '@endorse/interface';
import { amqpPort } from '@endorse/protocol';
import { checkClientCertificate, checkTarget } from '@endorse/transport-socket';
import { createConnectionSlot } from './connection.ts';
import type { AmqpTransportOptions } from './options.ts';
import { checkOptions } from './options.ts';
import { AmqpSession } from './session.ts';

/**
 * Makes the AMQP transport. Stateless: one instance serves any number of registrations at once.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option. rhea is loaded at the first request.
 */
export function createAmqpTransport(options: AmqpTransportOptions = {}): Transport {
  const settings = checkOptions(options);
  const { webSocket, userAgent, ca, proxyCa } = settings;
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities: webSocket ? webSocketCapabilities : tcpCapabilities,
    openSession: (target: RegistrationTarget, attestation: SessionAttestation) => {
      const checked = checkTarget(target, webSocket ? 443 : amqpPort);
      checkKind(attestation);
      const { host, port } = checked;
      const clientCertificate =
        attestation.kind === 'x509' ? checkClientCertificate(attestation.certificate) : undefined;
      const connection = { host, port, proxy: settings.proxyFor(host, port), ca, proxyCa, clientCertificate };
      return new AmqpSession({
        ...checked,
        attestation: attestation.kind,
        settings,
        slot: createConnectionSlot({
          settings: webSocket ? { ...connection, alpnProtocols: ['http/1.1'] } : connection,
          webSocket: webSocket ? { userAgent } : undefined,
        }),
      });
    },
  } satisfies Transport);
}

const tcpCapabilities: TransportCapabilities = capabilitiesOf('amqp');
const webSocketCapabilities: TransportCapabilities = capabilitiesOf('amqp-ws');

function capabilitiesOf(carrier: string): TransportCapabilities {
  return Object.freeze({
    carrier,
    attestations: attestationKinds,
    refusals: Object.freeze({}),
    challenge: 'handshake',
    proxy: true,
  });
}

function checkKind(attestation: SessionAttestation): void {
  const kind: unknown = attestation?.kind;
  if (attestationKinds.some((known) => known === kind)) return;
  if (typeof kind !== 'string') throw new InvalidArgumentError('attestation', 'must have a kind');
  throw new UnsupportedCapabilityError(`AMQP does not carry the attestation "${kind.slice(0, 40)}"`, {
    required: kind,
    available: attestationKinds,
  });
}
