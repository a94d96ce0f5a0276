import { webSocketPath } from '@endorse/protocol';
import type { WaitBounds } from '@endorse/transport-socket';
import { createStreamSource, waitFor } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
import { maxPacketBytes } from './limits.ts';
import type { MqttConnection, MqttConnectionParts } from './mqtt-connection.ts';

/** How the connections of a session are made. */
export interface ConnectionSource {
  readonly settings: ConnectorSettings;
  /** Undefined for MQTT straight on TLS. */
  readonly webSocket: { readonly userAgent: string } | undefined;
}

/** The one connection a session has at a time. */
export interface ConnectionSlot {
  /** The connection there is; undefined before the first, and after a loss. */
  readonly current: MqttConnection | undefined;
  /** Opens one in the place of what there is; CONNECT is on its way, and nothing has been waited for. */
  open(
    parts: Omit<MqttConnectionParts, 'stream' | 'Client'>,
    bounds: Omit<WaitBounds, 'state'>,
  ): Promise<MqttConnection>;
  /** Takes down what there is, at once. */
  drop(): void;
  /** Says goodbye and lets go of every socket; bounded, never rejects. */
  close(): Promise<void>;
}

/** Makes an empty slot. Networking, mqtt.js and, for WebSockets, ws are loaded when the first connection is opened. */
export function createConnectionSlot({ settings, webSocket }: ConnectionSource): ConnectionSlot {
  const source = createStreamSource({
    settings,
    webSocket:
      webSocket === undefined
        ? undefined
        : { ...webSocket, path: webSocketPath, protocol: 'mqtt', maxMessageBytes: maxPacketBytes },
  });
  let current: MqttConnection | undefined;
  const drop = (): void => {
    current = undefined;
    source.sockets.destroy();
  };
  return {
    get current() {
      return current?.ended.aborted === true ? undefined : current;
    },
    open: async (parts, bounds) => {
      drop();
      const ended = new AbortController();
      try {
        const connection = await waitFor<MqttConnection>({ ...bounds, state: 'connecting' }, (outcome) => {
          const loading = import('./mqtt-connection.ts');
          const client = import('./load-client.ts').then(({ loadMqttClient }) => loadMqttClient());
          Promise.all([loading, client, source.open(ended.signal)])
            // In one step, so that no byte of the stream is missed.
            .then(([{ MqttConnection }, Client, stream]) => {
              if (!ended.signal.aborted) outcome.resolve(new MqttConnection({ ...parts, Client, stream }));
            })
            .catch(outcome.reject);
        });
        current = connection;
        return connection;
      } catch (error) {
        ended.abort();
        drop();
        throw error;
      }
    },
    drop,
    close: async () => {
      await current?.close();
      await source.sockets.close();
      drop();
    },
  };
}
