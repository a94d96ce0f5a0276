import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { command, connectRaw } from './support/raw-client.ts';
import { bytes, handleOf } from './support/tpm-bytes.ts';

const empty = { transient: [], loadedSessions: [], savedSessions: [], persistent: [], nvIndices: [] };

describe('readTpmSnapshot', () => {
  it('of a fresh TPM is empty', async () => {
    await using simulator = await startTpmSimulator();
    expect(await readTpmSnapshot(simulator.address)).toEqual(empty);
  });

  it('shows what a client left behind, and equals the one before once it is gone', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const before = await readTpmSnapshot(simulator.address);
    const key = handleOf(await command(simulator.address, bytes.createPrimary));
    const session = handleOf(await command(simulator.address, bytes.startSession));
    expect(await readTpmSnapshot(simulator.address)).toEqual({
      ...before,
      transient: [key],
      loadedSessions: [session],
    });
    await command(simulator.address, bytes.flush(key));
    await command(simulator.address, bytes.flush(session));
    expect(await readTpmSnapshot(simulator.address)).toEqual(before);
  });

  it('lists an NV index', async () => {
    await using simulator = await startTpmSimulator();
    await command(simulator.address, bytes.defineNvIndex(0x0180_0001));
    expect((await readTpmSnapshot(simulator.address)).nvIndices).toEqual([0x0180_0001]);
  });

  it('reads over a connection that is open already', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const carrier = {
      transmit: async (request: Uint8Array): Promise<Uint8Array> =>
        Buffer.from(await command(simulator.address, Buffer.from(request).toString('hex')), 'hex'),
    };
    expect(await readTpmSnapshot(carrier)).toEqual(await readTpmSnapshot(simulator.address));
  });

  it('does not wait for ever while another client holds the only connection', async () => {
    await using simulator = await startTpmSimulator();
    await using other = await connectRaw(simulator.address);
    other.send(bytes.getRandom4);
    await other.receive(16);
    await expect(readTpmSnapshot(simulator.address, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      remedy: expect.stringContaining('one at a time') as string,
    });
  });

  it('reports a TPM that refuses', async () => {
    const refusing = { transmit: async () => Buffer.from('80010000000a00000100', 'hex') };
    await expect(readTpmSnapshot(refusing)).rejects.toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
      message: expect.stringContaining('0x100') as string,
    });
  });

  it('rejects with the caller’s reason', async () => {
    const reason = new Error('changed my mind');
    await using simulator = await startTpmSimulator();
    await expect(readTpmSnapshot(simulator.address, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it('reports an address where nothing listens', async () => {
    await expect(readTpmSnapshot('swtpm+unix:///nowhere/tpm')).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CONNECT',
      retryable: true,
    });
  });
});
