import type { Transport, TransportCapabilities } from '@endorse/interface';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';
import { createMqttTransport } from '@endorse/transport-mqtt';
import type { ServiceAddress } from './service/service-under-test.ts';

/** A carrier: how to make its transport, and which listener of a service it goes to. */
export interface Carrier {
  readonly name: string;
  /** The manifest of its transport. */
  readonly capabilities: TransportCapabilities;
  /** Base URL of that listener. */
  endpoint(service: Pick<ServiceAddress, 'endpoints'>): string;
  /** A transport that trusts the CA. */
  create(caPem: string): Transport;
}

/** Every carrier there is. */
export const carriers: readonly Carrier[] = [
  carrier('http', (ca) => createHttpTransport({ ca })),
  carrier('amqp', (ca) => createAmqpTransport({ ca })),
  carrier('http', (ca) => createAmqpTransport({ ca, webSocket: true })),
  carrier('mqtt', (ca) => createMqttTransport({ ca })),
  carrier('http', (ca) => createMqttTransport({ ca, webSocket: true })),
];

function carrier(
  listener: 'http' | 'amqp' | 'mqtt',
  create: (caPem: string | undefined) => Transport,
): Carrier {
  const { capabilities } = create(undefined);
  return {
    name: capabilities.carrier,
    capabilities,
    endpoint: ({ endpoints }) => endpoints[listener],
    create,
  };
}
