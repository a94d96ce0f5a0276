import type { Duplex } from 'node:stream';
import { amqpWebSocketProtocol, defaultAmqpFrameLimits, webSocketPath } from '@endorse/protocol';
import type { SocketSet } from '@endorse/transport-socket';
import { createSocketSet } from '@endorse/transport-socket';
import type { Connector, ConnectorSettings } from '@endorse/transport-socket/connector';
import type { AmqpConnection, AmqpConnectionParts } from './amqp-connection.ts';
import { waitFor } from './bounded-wait.ts';
import type { WaitBounds } from './bounded-wait.ts';

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
  const sockets: SocketSet = createSocketSet();
  let connector: Promise<Connector> | undefined;
  let current: AmqpConnection | undefined;

  const connect = async (ended: AbortSignal): Promise<Duplex> => {
    connector ??= import('@endorse/transport-socket/connector').then(({ createConnector }) =>
      createConnector(settings),
    );
    connector.catch(() => {
      connector = undefined;
    });
    const { open } = await connector;
    const socket = await open((each) => {
      sockets.add(each);
      // A tunnel has several steps: the next one must not begin after the end.
      if (ended.aborted) each.destroy();
    });
    if (webSocket === undefined) return socket;
    const { openWebSocket } = await import('@endorse/transport-socket/web-socket');
    return openWebSocket(socket, {
      host: settings.host,
      port: settings.port,
      path: webSocketPath,
      protocol: amqpWebSocketProtocol,
      userAgent: webSocket.userAgent,
      maxMessageBytes: defaultAmqpFrameLimits.maxMessageBytes,
    });
  };
  const drop = (): void => {
    current = undefined;
    sockets.destroy();
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
            Promise.all([import('./amqp-connection.ts'), connect(ended.signal)]).then(resolve, reject);
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
      await sockets.close();
      drop();
    },
  };
}
