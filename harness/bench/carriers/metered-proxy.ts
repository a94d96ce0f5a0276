/**
 * A TCP proxy that counts bytes and makes the way longer: how long something takes across a known distance says how
 * often it waited for the other side.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** What went through while something ran. */
export interface Passage {
  readonly connections: number;
  /** From the client to the service, TLS included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** A running proxy. */
export interface MeteredProxy extends AsyncDisposable {
  readonly port: number;
  /** Runs something with every byte arriving `delayMs` later, each way, and counts until all its connections are closed. */
  meter<Value>(delayMs: number, work: () => Promise<Value>): Promise<Passage & { readonly value: Value }>;
}

/** Starts a proxy on a free loopback port. Connecting to it takes no time: only bytes are late. */
export async function startMeteredProxy(upstreamPort: number): Promise<MeteredProxy> {
  const pairs = new Set<Promise<unknown>>();
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let passage = { connections: 0, sentBytes: 0, receivedBytes: 0 };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (device) => {
    const service = connect({ port: upstreamPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    passage.connections += 1;
    for (const socket of [device, service]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    const closed = Promise.all([closeOf(device), closeOf(service)]);
    pairs.add(closed);
    void closed.then(() => {
      pairs.delete(closed);
      sockets.delete(device);
      sockets.delete(service);
    });
    forward(device, service, (bytes) => (passage.sentBytes += bytes));
    forward(service, device, (bytes) => (passage.receivedBytes += bytes));
  });
  const forward = (from: Socket, to: Socket, count: (bytes: number) => void): void => {
    // Timers of the same delay fire in the order in which they were set.
    const later = (step: () => void): void => void setTimeout(step, delayMs);
    from.on('data', (chunk) => {
      count(chunk.length);
      later(() => {
        if (to.writable) to.write(chunk);
      });
    });
    from.once('end', () => later(() => to.end()));
    from.once('close', () => later(() => to.destroy()));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    meter: async (delay, work) => {
      delayMs = delay;
      passage = { connections: 0, sentBytes: 0, receivedBytes: 0 };
      const value = await work();
      await Promise.all(pairs);
      return { ...passage, value };
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Settles when a socket is closed, by an error or not. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
