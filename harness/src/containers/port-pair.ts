import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { SimulatorError } from '@endorse/tpm-simulator';

// Below the range from which systems hand out ports themselves.
const lowestPort = 20_000;
const highestPort = 32_000;
const maxAttempts = 50;

/** The lower of two neighbouring ports that were free a moment ago. Rejects with `ERR_SIMULATOR_START`. */
export async function findPortPair(): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const lower = lowestPort + 2 * Math.floor(Math.random() * ((highestPort - lowestPort) / 2));
    if ((await isFree(lower)) && (await isFree(lower + 1))) return lower;
  }
  throw new SimulatorError('ERR_SIMULATOR_START', 'found no two neighbouring free ports');
}

async function isFree(port: number): Promise<boolean> {
  const server: Server = createServer();
  try {
    server.listen({ port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
