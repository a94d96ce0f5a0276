import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

/** A peer that takes connections and never answers, so that requests to it stay in flight. */
export interface SilentHost extends AsyncDisposable {
  /** `host:port`, to be used as provisioning host. */
  readonly host: string;
  /** How many connections there have been. */
  readonly connections: number;
  /** How many of them are open. */
  readonly open: number;
}

/** Starts a TCP listener on the loopback that accepts, reads and stays silent. */
export async function startSilentHost(): Promise<SilentHost> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    // A socket that nobody reads does not notice that its peer is gone.
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let stopped: Promise<unknown> | undefined;
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      stopped ??= once(server.close(), 'close');
      await stopped;
    },
  };
}
