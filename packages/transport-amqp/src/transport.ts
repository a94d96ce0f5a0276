import type {
  RegistrationTarget,
  SessionAttestation,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { attestationKinds } from '@endorse/interface';
import { amqpPort } from '@endorse/protocol';
import { checkAttestation, checkClientCertificate, checkTarget } from '@endorse/transport-socket';
import { createAmqpConnectionSlot } from './connection-slot.ts';
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
  const { webSocket, ca, proxyCa } = settings;
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities: webSocket ? webSocketCapabilities : tcpCapabilities,
    openSession: (target: RegistrationTarget, attestation: SessionAttestation) => {
      const checked = checkTarget(target, webSocket ? 443 : amqpPort);
      const kind = checkAttestation('AMQP', attestationKinds, attestation);
      const { host, port } = checked;
      const clientCertificate =
        attestation.kind === 'x509' ? checkClientCertificate(attestation.certificate) : undefined;
      const connection = { host, port, proxy: settings.proxyFor(host, port), ca, proxyCa, clientCertificate };
      return new AmqpSession({
        ...checked,
        attestation: kind,
        settings,
        slot: createAmqpConnectionSlot(connection, settings),
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
