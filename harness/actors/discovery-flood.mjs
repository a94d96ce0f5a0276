// Hears a probe on `PORT`, and floods whoever sent it with junk: `PORT PER_SECOND SECONDS`. Sends `{ sent }` when it ends.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, perSecond, seconds] = process.argv.slice(2).map(Number);
const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.bind(port, '0.0.0.0');
await once(socket, 'listening');
process.on('disconnect', () => process.exit());
process.send?.({ port });
const [, prober] = await once(socket, 'message');
const total = perSecond * seconds;
const startedAt = performance.now();
let sent = 0;
while (sent < total) {
  const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1000) * perSecond));
  for (; sent < due; sent += 1) {
    const junk = Buffer.alloc(1 + (sent % 1400), sent & 255);
    await new Promise((resolve) => socket.send(junk, prober.port, '127.0.0.1', resolve));
  }
  await sleep(1);
}
socket.close();
process.send?.({ sent, elapsedMs: performance.now() - startedAt });
