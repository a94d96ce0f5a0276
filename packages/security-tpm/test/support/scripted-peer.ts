import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** A loopback server whose answers a test writes by hand; ends with the test. */
export interface ScriptedPeer extends AsyncDisposable {
  readonly port: number;
  /** Everything received so far, one entry a `data` event. */
  readonly received: readonly Buffer[];
  /** Resolves with the connection number `index` (0 is the first) once it is there. */
  connection(index: number): Promise<net.Socket>;
  /** Resolves once at least `count` chunks have been received. */
  receivedAtLeast(count: number): Promise<void>;
}

/** Starts a peer that calls `onData` for every chunk; without it, a peer that accepts and stays silent. */
export async function startScriptedPeer(
  onData: (chunk: Buffer, socket: net.Socket, index: number) => void = () => undefined,
): Promise<ScriptedPeer> {
  const received: Buffer[] = [];
  const sockets: net.Socket[] = [];
  const watchers = new Set<() => void>();
  const notify = (): void => watchers.forEach((watch) => watch());
  const server = net.createServer((socket) => {
    sockets.push(socket);
    const index = sockets.length - 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received.push(chunk);
      notify();
      onData(chunk, socket, index);
    });
    notify();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const until = <T>(read: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const check = (): void => {
        const value = read();
        if (value === undefined) return;
        watchers.delete(check);
        resolve(value);
      };
      watchers.add(check);
      check();
    });
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connection: (index) => until(() => sockets[index]),
    receivedAtLeast: async (count) => {
      await until(() => (received.length >= count ? true : undefined));
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
