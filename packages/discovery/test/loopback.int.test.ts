/** Real sockets: loopback broadcasts to 127.255.255.255, and every responder answers from an address of its own. */
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import type { Responder } from '@endorse/discovery';
import { collectDevices, discover, jsonDiscoveryCodec, startResponder } from '@endorse/discovery';
import { device } from './support/devices.ts';

async function withResponders<Result>(
  count: number,
  use: (port: number, responders: readonly Responder[]) => Promise<Result>,
): Promise<Result> {
  const responders: Responder[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const digits = index.toString(16).padStart(4, '0');
      const responder = await startResponder({
        device: device({ serial: `TBBA${digits}7${digits}`, mac: `0090e800${digits}` }),
        port: responders[0]?.port ?? 0,
        addresses: [`127.1.${Math.floor(index / 250)}.${1 + (index % 250)}`],
      });
      responders.push(responder);
    }
    return await use(responders[0]?.port ?? 0, responders);
  } finally {
    await Promise.all(responders.map((responder) => responder.stop()));
  }
}

const onLoopback = { interfaces: ['127.0.0.1'], loopback: true, windowMs: 20_000 } as const;

test('[D1] three devices on 127.1.0.x are all found by one broadcast, each once', async () => {
  await withResponders(3, async (port) => {
    const { devices } = await collectDevices({ ...onLoopback, port, expectedCount: 3 });
    expect(devices.map(({ address }) => address)).toEqual(['127.1.0.1', '127.1.0.2', '127.1.0.3']);
  });
});

test('an explicit target and a switched-off device behave on real sockets', async () => {
  await withResponders(2, async (port, responders) => {
    const targets = ['127.1.0.1', '127.1.0.2'];
    const options = { port, targets, broadcast: false, expectedCount: 1, windowMs: 5000 };
    await responders[0]?.disable();
    const { devices } = await collectDevices(options);
    expect(devices.map(({ address }) => address)).toEqual(['127.1.0.2']);
    await responders[0]?.enable();
    await responders[1]?.disable();
    expect((await collectDevices(options)).devices.map(({ address }) => address)).toEqual(['127.1.0.1']);
  });
});

test('a thousand devices at addresses of their own answer one broadcast and are all found', async () => {
  await withResponders(1000, async (port) => {
    const { devices, conflicts } = await collectDevices({ ...onLoopback, port, expectedCount: 1000 });
    expect(devices).toHaveLength(1000);
    expect(new Set(devices.map(({ address }) => address)).size).toBe(1000);
    expect(conflicts).toEqual([]);
  });
});

test('[D7] ten thousand junk datagrams are counted and dropped, and devices are found beside them', async () => {
  await withResponders(1, async (port) => {
    // Hears the probe as a device does, and then knows whom to send junk, and a late answer.
    const neighbour = createSocket({ type: 'udp4', reuseAddr: true });
    const probed = new Promise<{ readonly port: number; readonly id: string }>((resolve) => {
      neighbour.once('message', (bytes, source) =>
        resolve({ port: source.port, id: jsonDiscoveryCodec.decodeProbe(bytes).id }),
      );
    });
    await new Promise<void>((resolve) => neighbour.bind(port, '0.0.0.0', resolve));
    const send = async (bytes: Uint8Array, to: number): Promise<void> => {
      await new Promise((resolve) => neighbour.send(bytes, to, '127.0.0.1', resolve));
    };
    try {
      let isOver = false;
      let told = 0;
      const consuming = (async () => {
        for await (const event of discover({ ...onLoopback, port, expectedCount: 2 })) {
          if (event.event === 'datagram-rejected') told += 1;
          if (event.event === 'window-closed') return event.summary;
        }
        return undefined;
      })().finally(() => {
        isOver = true;
      });
      const prober = await probed;
      const before = process.memoryUsage().heapUsed;
      for (let sent = 0; sent < 10_000; sent += 1) {
        await send(Buffer.alloc(1 + (sent % 1400), sent & 255), prober.port);
      }
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
      const last = device({ serial: 'LAST-0001', mac: '0090e8ffff01' });
      const answer = jsonDiscoveryCodec.encodeReply({ id: prober.id, device: last }, { maxBytes: 1200 });
      while (!isOver) {
        await send(answer, prober.port);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const summary = await consuming;
      expect(summary?.devices).toHaveLength(2);
      const { malformed = 0, 'too-large': tooLarge = 0 } = summary?.counters.rejected ?? {};
      // The kernel may drop some of a burst; what arrives is counted, and told 100 times at most.
      expect(malformed + tooLarge).toBeGreaterThan(1000);
      expect(told).toBeLessThanOrEqual(100);
    } finally {
      await new Promise<void>((resolve) => neighbour.close(() => resolve()));
    }
  });
});

test('[D8] an abort closes the real sockets: their port is free at once', async () => {
  await withResponders(1, async (port) => {
    const aborting = new AbortController();
    const seen = new Promise<number>((resolve) => {
      const spy = createSocket({ type: 'udp4', reuseAddr: true });
      spy.bind(port, '0.0.0.0');
      spy.once('message', (_bytes, source) => spy.close(() => resolve(source.port)));
    });
    const pending = collectDevices({ ...onLoopback, port, signal: aborting.signal });
    const proberPort = await seen;
    aborting.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    const again = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      again.once('error', reject).bind(proberPort, '127.0.0.1', resolve);
    });
    await new Promise<void>((resolve) => again.close(() => resolve()));
  });
});

test('[D9] what a simulator answers is never longer than the probe', async () => {
  await withResponders(1, async (port) => {
    const asking = createSocket('udp4');
    await new Promise<void>((resolve) => asking.bind(0, '127.0.0.1', resolve));
    const probe = jsonDiscoveryCodec.encodeProbe({ id: 'A'.repeat(22), maxReplyDelayMs: 0 });
    const answer = new Promise<Buffer>((resolve) => asking.once('message', resolve));
    asking.send(probe, port, '127.1.0.1');
    expect((await answer).byteLength).toBeLessThanOrEqual(probe.byteLength);
    await new Promise<void>((resolve) => asking.close(() => resolve()));
  });
});
