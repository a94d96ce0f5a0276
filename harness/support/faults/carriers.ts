import type { Emulator } from '@endorse/emulator';
import type { AttestationKind, Transport } from '@endorse/interface';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';

/** A carrier of the matrix: how to make its transport, and which port of the emulator it goes to. */
export interface MatrixCarrier {
  readonly name: string;
  readonly attestations: readonly AttestationKind[];
  /** Base URL of the emulator's listener. */
  endpoint(emulator: Emulator): string;
  create(caPem: string): Transport;
}

/** Every carrier there is; which attestations each carries is what its manifest says. */
export const matrixCarriers: readonly MatrixCarrier[] = [
  carrier('http', 'http', (ca) => createHttpTransport({ ca })),
  carrier('amqp', 'amqp', (ca) => createAmqpTransport({ ca })),
  carrier('amqp-ws', 'http', (ca) => createAmqpTransport({ ca, webSocket: true })),
];

function carrier(
  name: string,
  listener: 'http' | 'amqp',
  create: (caPem: string | undefined) => Transport,
): MatrixCarrier {
  const { attestations } = create(undefined).capabilities;
  return { name, attestations, endpoint: ({ endpoints }) => endpoints[listener], create };
}
