/**
 * A TCP proxy that does to bytes what networks do. It knows nothing of TLS or of what is inside, so every carrier can go
 * through it; a fault is armed when the step it is meant for begins, and counts bytes from there.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Which of the two streams of a connection. */
export type Direction = 'to-service' | 'to-device';

/** What happens to a stream. Bytes count from the moment of arming, 0 being the next one. */
export type NetworkFault =
  /** Every byte arrives, so much later. */
  | { readonly kind: 'latency'; readonly delayMs: number }
  /** Every byte arrives, no more than so many a second. */
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** Later bytes vanish; the connection stays open. */
  | { readonly kind: 'drop'; readonly afterBytes: number }
  /** The device finds its connection reset. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** The stream ends in an orderly way, the other direction goes on. */
  | { readonly kind: 'half-close'; readonly afterBytes: number }
  /** One byte is another one. */
  | { readonly kind: 'corrupt'; readonly atByte: number };

/** A fault and where it strikes. */
export interface ArmedFault {
  readonly fault: NetworkFault;
  readonly direction: Direction;
}

/** A running proxy. */
export interface NetworkProxy extends AsyncDisposable {
  readonly port: number;
  /** Arms one fault; it strikes the first connection that sends a byte in its direction, and that one only. */
  arm(fault: ArmedFault): void;
  /** Disarms what did not strike. */
  disarm(): void;
  /** How many faults struck. */
  readonly struck: number;
  /** Connections that devices hold open. */
  readonly deviceConnections: number;
}

/** Starts a proxy on a free loopback port. */
export async function startNetworkProxy(upstreamPort: number): Promise<NetworkProxy> {
  const sockets = new Set<Socket>();
  const devices = new Set<Socket>();
  let armed: ArmedFault | undefined;
  let struck = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (device) => {
    const service = connect({ port: upstreamPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair: ConnectionPair = { device, service };
    devices.add(device);
    device.once('close', () => devices.delete(device));
    for (const socket of [device, service]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        // What ended one side abruptly ends the other.
        if (socket.errored !== null || !socket.readableEnded) close(pair);
      });
    }
    const takeFault = (direction: Direction) => (): NetworkFault | undefined => {
      if (armed?.direction !== direction) return undefined;
      const { fault } = armed;
      armed = undefined;
      struck += 1;
      return fault;
    };
    forward(device, service, pair, takeFault('to-service'));
    forward(service, device, pair, takeFault('to-device'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    arm: (fault) => {
      armed = fault;
    },
    disarm: () => {
      armed = undefined;
    },
    get struck() {
      return struck;
    },
    get deviceConnections() {
      return devices.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface ConnectionPair {
  readonly device: Socket;
  readonly service: Socket;
}

function close({ device, service }: ConnectionPair): void {
  device.destroy();
  service.destroy();
}

/** Passes bytes on, in order, as the fault that strikes this stream says. */
function forward(
  from: Socket,
  to: Socket,
  pair: ConnectionPair,
  takeFault: () => NetworkFault | undefined,
): void {
  let fault: NetworkFault | undefined;
  let passed = 0;
  let queue: Promise<void> = Promise.resolve();
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        to.off('close', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      to.once('close', end);
    });
  const pass = async (chunk: Buffer): Promise<void> => {
    fault ??= takeFault();
    const start = passed;
    if (fault !== undefined) passed += chunk.length;
    switch (fault?.kind) {
      case undefined:
        break;
      case 'latency':
        await pause(fault.delayMs);
        break;
      case 'bandwidth':
        await pause((chunk.length / fault.bytesPerSecond) * 1000);
        break;
      case 'corrupt': {
        const index = fault.atByte - start;
        if (index >= 0 && index < chunk.length) chunk.writeUInt8(chunk.readUInt8(index) ^ 0x01, index);
        break;
      }
      case 'drop':
      case 'reset':
      case 'half-close': {
        const kept = chunk.subarray(0, Math.max(0, fault.afterBytes - start));
        if (kept.length > 0) to.write(kept);
        if (kept.length < chunk.length) stop(fault.kind);
        return;
      }
      default:
        return fault satisfies never;
    }
    if (to.writable) to.write(chunk);
    return undefined;
  };
  const stop = (kind: 'drop' | 'reset' | 'half-close'): void => {
    if (kind === 'reset') {
      pair.device.resetAndDestroy();
      pair.service.destroy();
    } else if (kind === 'half-close') to.end();
  };
  from.on('data', (chunk: Buffer) => {
    queue = queue.then(() => pass(chunk));
  });
  from.once('end', () => {
    queue = queue.then(() => void to.end());
  });
}
