import type { EmulatorReady } from './emulator-process.ts';

/** Every carrier, by the name the clients under measurement know it by. */
export const carriers = ['http', 'amqp', 'amqp-ws', 'mqtt', 'mqtt-ws'] as const;

/** Name of a carrier. */
export type Carrier = (typeof carriers)[number];

/** How tables call them. */
export const carrierTitles: Readonly<Record<Carrier, string>> = {
  http: 'HTTPS',
  amqp: 'AMQP',
  'amqp-ws': 'AMQP over WebSocket',
  mqtt: 'MQTT',
  'mqtt-ws': 'MQTT over WebSocket',
};

/** `host:port` of the emulator's listener for a carrier; WebSockets share the one of HTTPS. */
export function hostOf(carrier: Carrier, { provisioningHost, amqp, mqtt }: EmulatorReady): string {
  switch (carrier) {
    case 'http':
    case 'amqp-ws':
    case 'mqtt-ws':
      return provisioningHost;
    case 'amqp':
      return amqp;
    case 'mqtt':
      return mqtt;
    default:
      return carrier satisfies never;
  }
}
