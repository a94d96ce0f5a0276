import { amqpWebSocketProtocol, defaultAmqpFrameLimits, webSocketPath } from '@endorse/protocol';
import type { ConnectionSlot } from '@endorse/transport-socket';
import { createConnectionSlot } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
import type { AmqpConnection, AmqpConnectionParts } from './amqp-connection.ts';
import type { AmqpSettings } from './options.ts';

/** The one connection a session has at a time. */
export type AmqpConnectionSlot = ConnectionSlot<AmqpConnection, Omit<AmqpConnectionParts, 'stream'>>;

/** Makes an empty slot. Networking, rhea and, for WebSockets, ws are loaded when the first connection is opened. */
export function createAmqpConnectionSlot(
  connection: ConnectorSettings,
  { webSocket, userAgent }: AmqpSettings,
): AmqpConnectionSlot {
  return createConnectionSlot({
    settings: connection,
    webSocket: webSocket
      ? {
          userAgent,
          path: webSocketPath,
          protocol: amqpWebSocketProtocol,
          maxMessageBytes: defaultAmqpFrameLimits.maxMessageBytes,
        }
      : undefined,
    load: async () => {
      const { AmqpConnection } = await import('./amqp-connection.ts');
      return (stream, parts) => new AmqpConnection({ ...parts, stream });
    },
  });
}
