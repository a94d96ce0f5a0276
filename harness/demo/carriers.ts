import type { Emulator } from '@endorse/emulator';
import type { Transport } from '@endorse/interface';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';

/** A carrier that stories are told over. */
export interface Carrier {
  /** For the headings: "over HTTPS". */
  readonly title: string;
  readonly createTransport: (options: { readonly ca: string }) => Transport;
  /** Where the emulator serves it, `host:port`. */
  readonly hostOf: (emulator: Emulator) => string;
}

/** The carriers by name; the first is the default. */
export const carriers = {
  http: {
    title: 'over HTTPS',
    createTransport: createHttpTransport,
    hostOf: ({ provisioningHost }) => provisioningHost,
  },
  amqp: {
    title: 'over AMQP',
    createTransport: createAmqpTransport,
    hostOf: ({ endpoints }) => new URL(endpoints.amqp).host,
  },
  'amqp-ws': {
    title: 'over AMQP in a WebSocket',
    createTransport: (options) => createAmqpTransport({ ...options, webSocket: true }),
    hostOf: ({ provisioningHost }) => provisioningHost,
  },
} as const satisfies Readonly<Record<string, Carrier>>;

/** A name of {@link carriers}. */
export type CarrierName = keyof typeof carriers;
