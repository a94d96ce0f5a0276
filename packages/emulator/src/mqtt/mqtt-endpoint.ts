import type { StreamHandler } from '../listener/stream-handler.ts';
import type { MqttService } from './mqtt-service.ts';

/** The sub-protocol of MQTT over WebSockets (MQTT 3.1.1 section 6); the official C client writes it in capitals. */
export const mqttSubProtocols: readonly string[] = Object.freeze(['mqtt']);

/** Makes the handler of MQTT connections to a service, whatever carries them. `mqtt-packet` is loaded with the first of them. */
export function createMqttHandler(service: MqttService): StreamHandler {
  return (stream, info) => {
    import('./mqtt-connection.ts').then(
      ({ serveMqttConnection }) => serveMqttConnection(stream, info, service),
      () => stream.destroy(),
    );
  };
}
