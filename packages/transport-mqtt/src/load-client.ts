import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { MqttClient, MqttClientOptions } from './mqtt-client.ts';

/** The constructor of mqtt.js's client. */
export type MqttClientConstructor = new (
  streamBuilder: () => Duplex,
  options: MqttClientOptions,
) => MqttClient;

/**
 * Loads the client of mqtt.js without its connectors, which bring SOCKS, browsers and a second WebSocket along: the
 * streams are ours. A later mqtt.js that hides the file is loaded as a whole.
 */
export function loadMqttClient(): MqttClientConstructor {
  // mqtt.js is CommonJS; and an import would have the compiler read its declarations, see MqttClient.
  const require = createRequire(import.meta.url);
  try {
    return (require('mqtt/lib/client') as { readonly default: MqttClientConstructor }).default;
  } catch {
    return (require('mqtt') as { readonly MqttClient: MqttClientConstructor }).MqttClient;
  }
}
