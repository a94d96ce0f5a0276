import type { Duplex } from 'node:stream';
import type { WaitBounds } from './bounded-wait.ts';
import { waitFor } from './bounded-wait.ts';
import type { ConnectorSettings } from './connector.ts';
import { createSocketSource } from './socket-source.ts';
import type { WebSocketOptions } from './web-socket.ts';

/** What a slot has to know of a connection. */
export interface SlotConnection {
  /** Aborted once the connection is of no further use. */
  readonly ended: AbortSignal;
  /** Says goodbye; bounded, never rejects. */
  close(): Promise<void>;
}

/** The one connection a session has at a time. */
export interface ConnectionSlot<Connection, Parts> {
  /** The connection there is; undefined before the first, and after a loss. */
  readonly current: Connection | undefined;
  /** Opens one in the place of what there is; its handshake has begun, and has not been waited for. */
  open(parts: Parts, bounds: Omit<WaitBounds, 'state'>): Promise<Connection>;
  /** Takes down what there is, at once. */
  drop(): void;
  /** Takes down what there is, unless the failure was an answer of the service: that says nothing against a connection. */
  dropAfter(failure: unknown): void;
  /** Says goodbye and lets go of every socket; bounded, never rejects. */
  close(): Promise<void>;
}

/** How the connections of a slot are made. */
export interface ConnectionSlotOptions<Connection, Parts> {
  readonly settings: ConnectorSettings;
  /** What a WebSocket is opened with; undefined for the bytes of TLS itself. */
  readonly webSocket: Omit<WebSocketOptions, 'host' | 'port'> | undefined;
  /** Loads what makes a connection of a stream, while that is opened. */
  readonly load: () => Promise<(stream: Duplex, parts: Parts) => Connection>;
}

/** Makes an empty slot. Networking and, for WebSockets, `ws` are loaded when the first connection is opened. */
export function createConnectionSlot<Connection extends SlotConnection, Parts>({
  settings,
  webSocket,
  load,
}: ConnectionSlotOptions<Connection, Parts>): ConnectionSlot<Connection, Parts> {
  // A WebSocket begins as HTTP/1.1, and TLS says so.
  const source = createSocketSource(
    webSocket === undefined ? settings : { ...settings, alpnProtocols: ['http/1.1'] },
  );
  let current: Connection | undefined;
  const usable = (): Connection | undefined => (current?.ended.aborted === true ? undefined : current);
  const drop = (): void => {
    current = undefined;
    source.sockets.destroy();
  };
  const openStream = async (ended: AbortSignal): Promise<Duplex> => {
    const socket = await source.open(ended);
    if (webSocket === undefined) return socket;
    const { openWebSocket } = await import('./web-socket.ts');
    const { host, port } = settings;
    return openWebSocket(socket, { ...webSocket, host, port });
  };

  return {
    get current() {
      return usable();
    },
    open: async (parts, bounds) => {
      drop();
      const ended = new AbortController();
      try {
        const connection = await waitFor<Connection>({ ...bounds, state: 'connecting' }, (outcome) => {
          Promise.all([load(), openStream(ended.signal)])
            // In one step, so that no byte of the stream is missed.
            .then(([connect, stream]) => {
              if (!ended.signal.aborted) outcome.resolve(connect(stream, parts));
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
    dropAfter: (failure) => {
      const { fault } = (failure ?? {}) as { readonly fault?: unknown };
      if (fault !== 'service' || usable() === undefined) drop();
    },
    close: async () => {
      await current?.close();
      await source.sockets.close();
      drop();
    },
  };
}
