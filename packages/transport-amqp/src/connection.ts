import type { Duplex } from 'node:stream';
import { amqpWebSocketProtocol, defaultAmqpFrameLimits, webSocketPath } from '@endorse/protocol';
import type { WaitBounds } from '@endorse/transport-socket';
import { createStreamSource, waitFor } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
import type { AmqpConnection, AmqpConnectionParts } from './amqp-connection.ts';

/** How the connections of a session are made. */
export interface ConnectionSource {
  readonly settings: ConnectorSettings;
  /** Undefined for AMQP straight on TLS. */
  readonly webSocket: { readonly userAgent: string } | undefined;
}

/** The one connection a session has at a time. */
export interface ConnectionSlot {
  /** The connection there is; undefined before the first, and after a loss. */
  readonly current: AmqpConnection | undefined;
  /** Opens one in the place of what there is; AMQP has begun on it, and nothing has been waited for. */
  open(
    parts: Omit<AmqpConnectionParts, 'stream'>,
    bounds: Omit<WaitBounds, 'state'>,
  ): Promise<AmqpConnection>;
  /** Takes down what there is, at once. */
  drop(): void;
  /** Says goodbye and lets go of every socket; bounded, never rejects. */
  close(): Promise<void>;
}

/** Makes an empty slot. Networking, rhea and, for WebSockets, ws are loaded when the first connection is opened. */
export function createConnectionSlot({ settings, webSocket }: ConnectionSource): ConnectionSlot {
  const source = createStreamSource({
    settings,
    webSocket:
      webSocket === undefined
        ? undefined
        : {
            ...webSocket,
            path: webSocketPath,
            protocol: amqpWebSocketProtocol,
            maxMessageBytes: defaultAmqpFrameLimits.maxMessageBytes,
          },
  });
  let current: AmqpConnection | undefined;
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
        const [{ AmqpConnection }, stream] = await waitFor<[typeof import('./amqp-connection.ts'), Duplex]>(
          { ...bounds, state: 'connecting' },
          ({ resolve, reject }) => {
            Promise.all([import('./amqp-connection.ts'), source.open(ended.signal)]).then(resolve, reject);
          },
        );
        current = new AmqpConnection({ ...parts, stream });
        return current;
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
