import { webSocketPath } from '@endorse/protocol';
import type { ConnectionSlot } from '@endorse/transport-socket';
import { createConnectionSlot } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
import { maxPacketBytes } from './limits.ts';
import type { MqttConnection, MqttConnectionParts } from './mqtt-connection.ts';
import type { MqttSettings } from './options.ts';

/** The one connection a session has at a time. */
export type MqttConnectionSlot = ConnectionSlot<
  MqttConnection,
  Omit<MqttConnectionParts, 'stream' | 'Client'>
>;

/** Makes an empty slot. Networking, mqtt.js and, for WebSockets, ws are loaded when the first connection is opened. */
export function createMqttConnectionSlot(
  connection: ConnectorSettings,
  { webSocket, userAgent }: MqttSettings,
): MqttConnectionSlot {
  return createConnectionSlot({
    settings: connection,
    webSocket: webSocket
      ? { userAgent, path: webSocketPath, protocol: 'mqtt', maxMessageBytes: maxPacketBytes }
      : undefined,
    load: async () => {
      const [{ MqttConnection }, { loadMqttClient }] = await Promise.all([
        import('./mqtt-connection.ts'),
        import('./load-client.ts'),
      ]);
      const Client = loadMqttClient();
      return (stream, parts) => new MqttConnection({ ...parts, Client, stream });
    },
  });
}
