/** What a prober remembers is bounded, whoever answers: the link is shared with strangers. */
import { expect, test } from 'vitest';

import { discover, jsonDiscoveryCodec, maxDevices, maxRepliesPerSource } from '@endorse/discovery';
import { device } from './support/devices.ts';
import { VirtualRun } from './support/virtual-run.ts';

/** A run that has sent its probe, and a way to answer it as anybody. */
async function startedRun() {
  const run = new VirtualRun();
  const codec = jsonDiscoveryCodec;
  const iterator = discover(run.options({ codec }));
  const first = iterator.next();
  await run.clock.advance(150);
  const [probe] = run.link.sent;
  const { id } = codec.decodeProbe(probe?.bytes ?? new Uint8Array());
  const to = { address: '192.168.3.10', port: probe?.from.port ?? 0 };
  const answer = (address: string, changes: Parameters<typeof device>[0]): void => {
    const bytes = codec.encodeReply({ id, device: device(changes) }, { maxBytes: 1200 });
    run.link.inject(bytes, { address, port: 40_404 }, to);
  };
  const finish = async () => {
    await run.clock.advance(5000);
    let event = (await first).value;
    while (event !== undefined && event.event !== 'window-closed') event = (await iterator.next()).value;
    return event?.summary;
  };
  return { answer, finish };
}

test('one address gets eight answers in, whatever it claims to be', async () => {
  const { answer, finish } = await startedRun();
  for (let index = 0; index < 100; index += 1) {
    answer('192.168.3.66', {
      serial: `FAKE-${index}-x`,
      mac: `0090e80000${String(index % 100).padStart(2, '0')}`,
    });
  }
  const summary = await finish();
  expect(summary?.devices).toHaveLength(maxRepliesPerSource);
  expect(summary?.counters.rejected['too-many-from-source']).toBe(100 - maxRepliesPerSource);
});

test(
  '[D7] a flood of devices from a flood of addresses ends at a bound, and is counted',
  { timeout: 30_000 },
  async () => {
    const { answer, finish } = await startedRun();
    const count = 3 * maxDevices;
    for (let index = 0; index < count; index += 1) {
      const mac = index.toString(16).padStart(12, '0');
      answer(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, { serial: `FAKE-${index}-x`, mac });
    }
    const summary = await finish();
    expect(summary?.devices).toHaveLength(maxDevices);
    expect(summary?.counters.rejected['too-many-devices']).toBe(count - maxDevices);
  },
);

test('one device that answers from a flood of addresses keeps eight of them', async () => {
  const { answer, finish } = await startedRun();
  for (let index = 0; index < 500; index += 1) answer(`10.0.${index >> 8}.${index & 255}`, {});
  const summary = await finish();
  expect(summary?.devices.map(({ sources }) => sources.length)).toEqual([8]);
});
