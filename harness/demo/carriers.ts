import type { Emulator } from '@endorse/emulator';
import type { Transport } from '@endorse/interface';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';
import { createMqttTransport } from '@endorse/transport-mqtt';

/** A carrier that stories are told over. */
export interface Carrier {
  /** For the headings: "over HTTPS". */
  readonly title: string;
  readonly createTransport: (options: { readonly ca?: string }) => Transport;
  /** Where the emulator serves it, `host:port`. */
  readonly hostOf: (emulator: Emulator) => string;
  /** How the device talks to its hub afterwards; over HTTPS when absent. */
  readonly hub?: 'mqtt' | 'mqtt-ws';
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
  mqtt: {
    title: 'over MQTT',
    createTransport: createMqttTransport,
    hostOf: ({ endpoints }) => new URL(endpoints.mqtt).host,
    hub: 'mqtt',
  },
  'mqtt-ws': {
    title: 'over MQTT in a WebSocket',
    createTransport: (options) => createMqttTransport({ ...options, webSocket: true }),
    hostOf: ({ provisioningHost }) => provisioningHost,
    hub: 'mqtt-ws',
  },
} as const satisfies Readonly<Record<string, Carrier>>;

/** A name of {@link carriers}. */
export type CarrierName = keyof typeof carriers;
