import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { startFragmentingRelay } from '@endorse/testkit';

test('bytes come through the relay whole, in order and in pieces, both ways', async () => {
  const received: Buffer[] = [];
  await using echo = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.pipe(socket);
  });
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  await using relay = await startFragmentingRelay((echo.address() as AddressInfo).port, 61);
  const { hostname, port } = new URL(`tcp://${relay.host}`);
  const sent = randomBytes(6_100);
  const returned: Buffer[] = [];
  const socket = connect(Number(port), hostname);
  socket.end(sent);
  for await (const chunk of socket as AsyncIterable<Buffer>) returned.push(chunk);
  for (const pieces of [received, returned]) {
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
    // The kernel may join some of the hundred, never all of them.
    expect(pieces.length).toBeGreaterThan(10);
  }
});
