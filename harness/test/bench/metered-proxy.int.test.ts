import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startMeteredProxy } from '../../bench/carriers/metered-proxy.ts';
import { countRoundTrips } from '../../bench/carriers/wire.ts';

test('a metered proxy counts what went through, and its distance tells how often the client waited', async () => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.write('pong!'));
    socket.on('end', () => socket.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await using resources = new AsyncDisposableStack();
  resources.defer(() => void server.close());
  const proxy = resources.use(await startMeteredProxy((server.address() as AddressInfo).port));
  const delayMs = 150;

  for (const pings of [1, 3]) {
    const { value, ...passage } = await proxy.meter(delayMs, async () => {
      const startedAt = performance.now();
      const socket = connect(proxy.port, '127.0.0.1');
      for (let ping = 0; ping < pings; ping += 1) {
        socket.write('ping');
        await once(socket, 'data');
      }
      const wallMs = performance.now() - startedAt;
      socket.end();
      return wallMs;
    });
    expect(passage).toEqual({ connections: 1, sentBytes: 4 * pings, receivedBytes: 5 * pings });
    expect(countRoundTrips({ wallMs: value, delayMs, connections: 1 })).toBe(1 + pings);
  }
});
