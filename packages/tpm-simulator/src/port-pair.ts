import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { SimulatorError } from './errors.ts';

// Pairs are taken at random below the range from which the system hands out ports (32768 on Linux, 49152 on macOS).
const lowestPort = 20_000;
const highestPort = 32_000;
const maxAttempts = 50;

/**
 * Binds two neighbouring ports, of the loopback interface unless told otherwise (tools expect the second channel one above
 * the first) and hands over the listening servers, the lower port first. Without `port` any free pair.
 * Rejects with `ERR_SIMULATOR_START` when they are taken.
 */
export async function listenOnPortPair(
  port?: number,
  host = '127.0.0.1',
): Promise<readonly [Server, Server]> {
  for (let attempt = 0; attempt < (port === undefined ? maxAttempts : 1); attempt += 1) {
    const lower = port ?? lowestPort + 2 * Math.floor(Math.random() * ((highestPort - lowestPort) / 2));
    const first = await tryListen(lower, host);
    const second = first && (await tryListen(lower + 1, host));
    if (first !== undefined && second !== undefined) return [first, second];
    first?.close();
  }
  throw new SimulatorError(
    'ERR_SIMULATOR_START',
    port === undefined ? 'found no two neighbouring free ports' : `port ${port} or ${port + 1} is taken`,
  );
}

/** A pair that was free a moment ago. Another process may take it; the start then fails and takes another one. */
export async function findFreePortPair(): Promise<number> {
  const [first, second] = await listenOnPortPair();
  const address = first.address();
  await Promise.all([closeServer(first), closeServer(second)]);
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function tryListen(port: number, host: string): Promise<Server | undefined> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
