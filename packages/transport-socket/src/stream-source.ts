import type { Duplex } from 'node:stream';
import type { Connector, ConnectorSettings } from './connector.ts';
import type { SocketSet } from './socket-set.ts';
import { createSocketSet } from './socket-set.ts';
import type { WebSocketOptions } from './web-socket.ts';

/** Where the streams of one session come from. */
export interface StreamSource {
  /** Opens one, on TLS or on a WebSocket; once `ended` is aborted, nothing more is begun. Rejects with `TransportError`. */
  open(ended: AbortSignal): Promise<Duplex>;
  /** Every socket there is. */
  readonly sockets: SocketSet;
}

/** How the streams are made. */
export interface StreamSourceOptions {
  readonly settings: ConnectorSettings;
  /** What a WebSocket is opened with; undefined for the bytes of TLS itself. */
  readonly webSocket: Omit<WebSocketOptions, 'host' | 'port'> | undefined;
}

/** Makes a source. Networking, and `ws` for WebSockets, are loaded when the first stream is opened. */
export function createStreamSource({ settings, webSocket }: StreamSourceOptions): StreamSource {
  const sockets = createSocketSet();
  let connector: Promise<Connector> | undefined;
  return {
    sockets,
    open: async (ended) => {
      connector ??= import('./connector.ts').then(({ createConnector }) => createConnector(settings));
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
      const { openWebSocket } = await import('./web-socket.ts');
      const { host, port } = settings;
      return openWebSocket(socket, { ...webSocket, host, port });
    },
  };
}
