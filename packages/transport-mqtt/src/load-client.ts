import type { MqttClient } from 'mqtt';

/** The constructor of mqtt.js's client. */
export type MqttClientConstructor = typeof MqttClient;

/**
 * Loads the client of mqtt.js without its connectors, which bring SOCKS, browsers and a second WebSocket along: the
 * streams are ours. A later mqtt.js that hides the file is loaded as a whole.
 */
export async function loadMqttClient(): Promise<MqttClientConstructor> {
  try {
    // A CommonJS module: Node.js gives all of it as the default, bundlers give its own default.
    const exported: MqttClientConstructor | { readonly default: MqttClientConstructor } = (
      await import('mqtt/lib/client')
    ).default;
    return typeof exported === 'function' ? exported : exported.default;
  } catch {
    return (await import('mqtt')).MqttClient;
  }
}
