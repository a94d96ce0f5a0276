import { describe, expect, test } from 'vitest';
import { jsonDiscoveryCodec, startResponder } from '@endorse/discovery';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { device, seededRandom } from './support/devices.ts';
import { VirtualRun } from './support/virtual-run.ts';

describe('the responder', () => {
  test('[S1] answers on the configured port in factory state', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21', {}, { port: 40_500 });
    expect(responder.port).toBe(40_500);
    expect((await run.discover()).devices).toHaveLength(0);
    expect((await run.discover({ port: 40_500 })).devices).toMatchObject([
      { announcement: { state: 'factory' } },
    ]);
  });

  test('[S2] stays silent when it is switched off, and answers again when it is switched on', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21');
    await responder.disable();
    expect(responder.isEnabled).toBe(false);
    expect((await run.discover()).devices).toHaveLength(0);
    await responder.enable();
    expect((await run.discover()).devices).toHaveLength(1);
    await responder.stop();
    await expect(responder.enable()).rejects.toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });

  test('[S3] closes by itself when its time is up', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21', {}, { disableAfterMs: 900_000 });
    expect((await run.discover()).devices).toHaveLength(1);
    expect(responder.disablesAt).toBe(900_000);
    await run.clock.advance(900_000 - run.clock.now());
    expect(responder.isEnabled).toBe(false);
    expect((await run.discover()).devices).toHaveLength(0);
    expect(run.clock.pendingSleeps).toBe(0);
  });

  test('a device that does not match the filter stays silent', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21');
    expect((await run.discover({ filter: { state: 'claimed' } })).counters.received).toBe(0);
    expect(responder.counters.ignored.filtered).toBeGreaterThan(0);
    expect(
      (await run.discover({ filter: { vendor: 'EXAMPLE', serial: 'tbbaa1234501' } })).devices,
    ).toHaveLength(1);
  });

  test('answers one id of one source at most four times, and only askers on its link', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21', {}, { maxReplyDelayMs: 0 });
    const probe = jsonDiscoveryCodec.encodeProbe({ id: 'A'.repeat(22), maxReplyDelayMs: 0 });
    const ask = async (address: string, times: number, port = 50_000): Promise<void> => {
      for (let count = 0; count < times; count += 1) {
        run.link.inject(probe, { address, port }, { address: '0.0.0.0', port: 40_404 });
        await run.clock.advance(150);
      }
    };
    await ask('192.168.3.99', 10);
    expect(responder.counters).toMatchObject({ answered: 4, ignored: { repeated: 6 } });
    await ask('10.0.0.1', 2);
    await ask('192.168.3.98', 1, 40_404);
    await ask('192.168.3.98', 1, 0);
    expect(responder.counters).toMatchObject({ answered: 4, ignored: { 'off-link': 2, 'bad-source': 2 } });
  });

  test('answers askers beyond its links only when it is told to', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21', {}, { maxReplyDelayMs: 0, answerOffLink: true });
    const probe = jsonDiscoveryCodec.encodeProbe({ id: 'A'.repeat(22), maxReplyDelayMs: 0 });
    run.link.inject(probe, { address: '10.0.0.1', port: 50_000 }, { address: '192.168.3.21', port: 40_404 });
    await run.clock.advance(1);
    expect(responder.counters).toMatchObject({ answered: 1, ignored: { 'off-link': 0 } });
    expect(run.link.sent).toMatchObject([
      { from: { address: '192.168.3.21' }, to: { address: '10.0.0.1', port: 50_000 } },
    ]);
  });

  test('limits answers a second, in total and a source', async () => {
    const run = new VirtualRun();
    const limits = { repliesPerSecond: 20, repliesPerSourcePerSecond: 5, maxReplyDelayMs: 0 };
    const responder = await run.device('192.168.3.21', {}, limits);
    for (let source = 0; source < 100; source += 1) {
      for (let count = 0; count < 10; count += 1) {
        const id = seededRandom(source * 100 + count + 1).bytes(16);
        const probe = jsonDiscoveryCodec.encodeProbe({
          id: Buffer.from(id).toString('base64url'),
          maxReplyDelayMs: 0,
        });
        run.link.inject(
          probe,
          { address: `192.168.3.${100 + source}`, port: 50_000 },
          { address: '0.0.0.0', port: 40_404 },
        );
      }
    }
    await run.clock.advance(0);
    expect(responder.counters.answered).toBe(20);
    expect(new Set(run.link.sent.map(({ to }) => to.address)).size).toBe(4);
  });

  test('never answers with more bytes than it was asked with', async () => {
    const run = new VirtualRun();
    const responder = await run.device('192.168.3.21', {}, { maxReplyDelayMs: 0 });
    const small = Buffer.from(
      JSON.stringify({ p: 'endorse-discovery', v: 1, t: 'probe', id: 'A'.repeat(22), mx: 0 }),
    );
    run.link.inject(small, { address: '192.168.3.9', port: 50_000 }, { address: '0.0.0.0', port: 40_404 });
    await run.clock.advance(10);
    expect(responder.counters).toMatchObject({ answered: 0, ignored: { unencodable: 1 } });
  });

  test.each([
    [{ device: device({ serial: '' }) }, 'options.device'],
    [{ device: device(), port: 65_536 }, 'options.port'],
    [{ device: device(), disableAfterMs: 0 }, 'options.disableAfterMs'],
    [{ device: device(), adresses: [] }, 'options.adresses'],
  ])('refuses %j', async (options, argument) => {
    await expect(startResponder({ ...options, clock: new VirtualClock() })).rejects.toMatchObject({
      argument,
    });
  });
});
