import type { AttestationKind, Logger, Transport } from '@endorse/interface';
import { UnsupportedCapabilityError } from '@endorse/interface';

/** What every carrier is made with. */
export interface CarrierOptions {
  /** PEM; undefined for what Node.js trusts. */
  readonly ca: string | undefined;
  readonly proxyFromEnvironment: true;
  readonly userAgent: string;
  readonly logger?: Logger;
}

/** Makes a transport. Throws `ERR_INVALID_ARGUMENT`. */
export type CreateTransport = (options: CarrierOptions) => Transport;

/** A row a carrier; its package is loaded when it is chosen, so that nobody loads rhea or mqtt.js who does not use it. */
const carriers: Readonly<Record<string, () => Promise<CreateTransport>>> = {
  http: async () => (await import('@endorse/transport-http')).createHttpTransport,
  amqp: async () => (await import('@endorse/transport-amqp')).createAmqpTransport,
  'amqp-ws': async () => {
    const { createAmqpTransport } = await import('@endorse/transport-amqp');
    return (options) => createAmqpTransport({ ...options, webSocket: true });
  },
  mqtt: async () => (await import('@endorse/transport-mqtt')).createMqttTransport,
  'mqtt-ws': async () => {
    const { createMqttTransport } = await import('@endorse/transport-mqtt');
    return (options) => createMqttTransport({ ...options, webSocket: true });
  },
};

/** The names `--transport` takes. */
export const carrierNames: readonly string[] = Object.keys(carriers);

/** Loads a carrier. Rejects with `ERR_UNSUPPORTED_CAPABILITY` for one that there is not. */
export async function loadCarrier(name: string): Promise<CreateTransport> {
  const load = carriers[name];
  if (load !== undefined) return load();
  throw new UnsupportedCapabilityError(`there is no carrier ${name}`, {
    required: name,
    available: carrierNames,
  });
}

/**
 * Checks that a carrier has the device's attestation, before a TPM or a file is opened for nothing. Throws
 * `ERR_UNSUPPORTED_CAPABILITY` with the reason of the carrier's manifest.
 */
export function requireAttestation({ capabilities }: Transport, kind: AttestationKind): void {
  const { attestations, carrier, refusals } = capabilities;
  if (attestations.includes(kind)) return;
  throw new UnsupportedCapabilityError(
    `${carrier} does not carry ${kind}: ${refusals[kind] ?? 'its transport does not'}`,
    { required: kind, available: attestations },
    { remedy: 'Choose another --transport.' },
  );
}
