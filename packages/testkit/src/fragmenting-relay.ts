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
  // Each direction ends by itself: what was sent before the end still arrives.
  const relay = async (from: Socket, to: Socket): Promise<void> => {
    for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
        to.write(chunk.subarray(at, at + pieceBytes));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    to.end();
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    keep(near);
    keep(far);
    const lose = (): void => {
      near.destroy();
      far.destroy();
    };
    relay(near, far).catch(lose);
    relay(far, near).catch(lose);
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
