import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** A bare socket client, so that what goes over the wire is exactly what a test wrote. */
export interface RawClient extends AsyncDisposable {
  /** Writes bytes given as hex, spaces ignored. */
  send(hex: string): void;
  /** The next bytes, as hex; '' when the peer closed before. */
  receive(byteLength: number): Promise<string>;
  /** How many chunks have arrived so far. */
  readonly chunks: number;
}

/** Connects to a simulator's address, or to a bridge's port. */
export async function connectRaw(target: string | number): Promise<RawClient> {
  const socket = openSocket(target);
  await once(socket, 'connect');
  let received = Buffer.alloc(0);
  let chunks = 0;
  let closed = false;
  let wake = (): void => undefined;
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    chunks += 1;
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    wake();
  });
  return {
    send: (hex) => {
      socket.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    },
    receive: async (byteLength) => {
      while (received.length < byteLength && !closed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (received.length < byteLength) return '';
      const taken = received.subarray(0, byteLength).toString('hex');
      received = received.subarray(byteLength);
      return taken;
    },
    get chunks() {
      return chunks;
    },
    [Symbol.asyncDispose]: async () => {
      if (closed) return;
      socket.destroy();
      await once(socket, 'close');
    },
  };
}

/** Sends one bare TPM command on a connection of its own and returns the response, as hex. */
export async function command(address: string, hex: string): Promise<string> {
  await using client = await connectRaw(address);
  client.send(hex);
  const header = await client.receive(10);
  if (header === '') throw new Error('the simulator closed the connection');
  return header + (await client.receive(Number.parseInt(header.slice(4, 12), 16) - 10));
}

function openSocket(target: string | number): Socket {
  if (typeof target === 'number') return connect({ host: '127.0.0.1', port: target, noDelay: true });
  const url = new URL(target);
  return url.protocol === 'swtpm+unix:'
    ? connect({ path: decodeURIComponent(url.pathname) })
    : connect({ host: url.hostname, port: Number(url.port), noDelay: true });
}
