import type { Logger, Transport } from '@endorse/interface';
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

/** The names `--transport` takes, whether or not this version has them. */
export const carrierNames: readonly string[] = ['http', 'amqp', 'amqp-ws', 'mqtt', 'mqtt-ws'];

/** A row a carrier; its package is loaded when it is chosen, so that nobody loads rhea who does not use it. */
const carriers: Readonly<Record<string, () => Promise<CreateTransport>>> = {
  http: async () => (await import('@endorse/transport-http')).createHttpTransport,
  amqp: async () => (await import('@endorse/transport-amqp')).createAmqpTransport,
  'amqp-ws': async () => {
    const { createAmqpTransport } = await import('@endorse/transport-amqp');
    return (options) => createAmqpTransport({ ...options, webSocket: true });
  },
};

/** Loads a carrier. Rejects with `ERR_UNSUPPORTED_CAPABILITY` for one that this version does not have. */
export async function loadCarrier(name: string): Promise<CreateTransport> {
  const load = carriers[name];
  if (load !== undefined) return load();
  const available = Object.keys(carriers);
  throw new UnsupportedCapabilityError(
    `${name} needs @endorse/transport-${name.replace(/-ws$/, '')}, which this version does not have`,
    { required: name, available },
    { remedy: `Use one of ${available.join(', ')}.` },
  );
}
