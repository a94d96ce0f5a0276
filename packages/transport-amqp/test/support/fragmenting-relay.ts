import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A relay on the loopback through which bytes come in small pieces. */
export interface FragmentingRelay extends AsyncDisposable {
  /** `localhost:port`. */
  readonly host: string;
}

/** Starts a relay to a port that hands on at most `pieceBytes` bytes at a time, each piece in a turn of its own. */
export async function startFragmentingRelay(port: number, pieceBytes: number): Promise<FragmentingRelay> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket.setNoDelay(true).on('error', () => undefined));
    socket.once('close', () => sockets.delete(socket));
  };
  const relay = async (from: Socket, to: Socket): Promise<void> => {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
        to.write(chunk.subarray(at, at + pieceBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    keep(near);
    keep(far);
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    relay(near, far).then(end, end);
    relay(far, near).then(end, end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}
