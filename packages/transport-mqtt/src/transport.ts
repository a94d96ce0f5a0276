import type {
  RegistrationTarget,
  SessionAttestation,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { UnsupportedCapabilityError } from '@endorse/interface';
import { checkAttestation, checkClientCertificate, checkTarget } from '@endorse/transport-socket';
import { createMqttConnectionSlot } from './connection-slot.ts';
import type { MqttTransportOptions } from './options.ts';
import { checkOptions } from './options.ts';
import type { MqttAttestation } from './session.ts';
import { MqttSession } from './session.ts';

/**
 * Makes the MQTT transport. Stateless: one instance serves any number of registrations at once.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option. mqtt.js is loaded at the first request.
 */
export function createMqttTransport(options: MqttTransportOptions = {}): Transport {
  const settings = checkOptions(options);
  const { webSocket, ca, proxyCa } = settings;
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities: webSocket ? webSocketCapabilities : tcpCapabilities,
    openSession: (target: RegistrationTarget, attestation: SessionAttestation) => {
      const checked = checkTarget(target, webSocket ? 443 : mqttPort);
      const kind = checkKind(attestation);
      const { host, port } = checked;
      const clientCertificate =
        attestation.kind === 'x509' ? checkClientCertificate(attestation.certificate) : undefined;
      const connection = { host, port, proxy: settings.proxyFor(host, port), ca, proxyCa, clientCertificate };
      return new MqttSession({
        ...checked,
        attestation: kind,
        settings,
        slot: createMqttConnectionSlot(connection, settings),
      });
    },
  } satisfies Transport);
}

/** MQTT over TLS, as registered with IANA. */
const mqttPort = 8883;

const attestations: readonly MqttAttestation[] = Object.freeze(['symmetric-key', 'x509']);
const noTpm =
  'the provisioning service does not offer TPM attestation over MQTT; use transport-http or transport-amqp, which both carry it';

const tcpCapabilities: TransportCapabilities = capabilitiesOf('mqtt');
const webSocketCapabilities: TransportCapabilities = capabilitiesOf('mqtt-ws');

function capabilitiesOf(carrier: string): TransportCapabilities {
  return Object.freeze({
    carrier,
    attestations,
    refusals: Object.freeze({ tpm: noTpm }),
    challenge: 'none',
    proxy: true,
  });
}

function checkKind(attestation: SessionAttestation): MqttAttestation {
  if (attestation?.kind === 'tpm') {
    throw new UnsupportedCapabilityError(
      `TPM: ${noTpm}`,
      { required: 'tpm', available: attestations },
      { remedy: 'Use @endorse/transport-http or @endorse/transport-amqp.' },
    );
  }
  return checkAttestation('MQTT', attestations, attestation);
}
