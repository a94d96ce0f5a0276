import type { TLSSocket } from 'node:tls';
import type { Connector, ConnectorSettings } from './connector.ts';
import type { SocketSet } from './socket-set.ts';
import { createSocketSet } from './socket-set.ts';

/** Where the TLS connections of one session come from. */
export interface SocketSource {
  /** Opens one; once `ended` is aborted, nothing more is begun. Rejects with `TransportError`. */
  open(ended: AbortSignal): Promise<TLSSocket>;
  /** Every socket there is. */
  readonly sockets: SocketSet;
}

/** Makes a source. Networking is loaded when the first connection is opened. */
export function createSocketSource(settings: ConnectorSettings): SocketSource {
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
      return open((socket) => {
        sockets.add(socket);
        // A tunnel has several steps: the next one must not begin after the end.
        if (ended.aborted) socket.destroy();
      });
    },
  };
}
