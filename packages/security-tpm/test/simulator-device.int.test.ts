/** The simulator devices: on swtpm, on the mssim bridge, and on hand-written peers that misbehave. */
import { openTpmDevice } from '@endorse/security-tpm';
import { startMssimBridge, startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { commandCodeOf, getRandom4, responseOf } from './support/frames.ts';
import { startScriptedPeer } from './support/scripted-peer.ts';

const getCapability = 0x17a;

describe('swtpm', () => {
  test.each(['unix', 'tcp'] as const)('answers over %s', async (address) => {
    await using simulator = await startTpmSimulator({ address });
    const device = await openTpmDevice(simulator.address);
    expect(device.info).toEqual({ kind: 'swtpm', resourceManaged: false, maxFrameBytes: 4096 });
    const response = await device.transmit(getRandom4, { timeoutMs: 1000 });
    expect(response.byteLength).toBe(16);
    await device.close();
  });

  test('is busy for a second client, within the time given, and serves it once the first has left', async () => {
    await using simulator = await startTpmSimulator();
    const first = await openTpmDevice(simulator.address);
    await expect(openTpmDevice(simulator.address, { connectTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_TPM_BUSY',
      retryable: true,
    });
    await first.close();
    const second = await openTpmDevice(simulator.address);
    await second.close();
  });

  test('nobody at the address is ERR_TPM_UNREACHABLE', async () => {
    const simulator = await startTpmSimulator();
    await simulator.stop();
    await expect(openTpmDevice(simulator.address)).rejects.toMatchObject({
      code: 'ERR_TPM_UNREACHABLE',
      retryable: true,
    });
  });

  test('an abort while opening rejects with its reason and leaves no connection', async () => {
    await using peer = await startScriptedPeer();
    const controller = new AbortController();
    const opening = openTpmDevice(`swtpm://127.0.0.1:${peer.port}`, { signal: controller.signal });
    const socket = await peer.connection(0);
    await peer.receivedAtLeast(1);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await closed;
  });

  test('one command is one write', async () => {
    await using peer = await startScriptedPeer((_, socket) => socket.write(responseOf(0)));
    const device = await openTpmDevice(`swtpm://127.0.0.1:${peer.port}`);
    await device.transmit(getRandom4, { timeoutMs: 1000 });
    expect(peer.received.map(commandCodeOf)).toEqual([getCapability, 0x17b]);
    await device.close();
  });

  test('an answer in many small pieces is put together', async () => {
    await using peer = await startScriptedPeer((_, socket) => {
      for (const byte of responseOf(0, Uint8Array.of(0, 1, 7))) socket.write(Uint8Array.of(byte));
    });
    const device = await openTpmDevice(`swtpm://127.0.0.1:${peer.port}`);
    expect((await device.transmit(getRandom4, { timeoutMs: 1000 }))[12]).toBe(7);
    await device.close();
  });

  test.each([
    ['closes instead of answering', (): Buffer => Buffer.alloc(0)],
    ['answers with a size it cannot have', (): Buffer => Buffer.from('8001ffffffff00000000', 'hex')],
    ['answers with a size below a header', (): Buffer => Buffer.from('80010000000900000000', 'hex')],
    ['answers with a foreign tag', (): Buffer => Buffer.from('12340000000a00000000', 'hex')],
    ['sends more than its answer', (): Buffer => Buffer.concat([responseOf(0), Buffer.of(0)])],
  ])('a peer that %s is ERR_TPM_IO', async (_, answer) => {
    let calls = 0;
    await using peer = await startScriptedPeer((_chunk, socket) => {
      calls += 1;
      const bytes = calls === 1 ? responseOf(0) : answer();
      if (bytes.byteLength === 0) socket.destroy();
      else socket.write(bytes);
    });
    const device = await openTpmDevice(`swtpm://127.0.0.1:${peer.port}`);
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
      commandSent: true,
      retryable: true,
    });
    // The stream is out of step: never used again.
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    await device.close();
  });

  test('a connection that broke while idle is noticed before anything is sent', async () => {
    await using peer = await startScriptedPeer((_, socket) => socket.write(responseOf(0)));
    const device = await openTpmDevice(`swtpm://127.0.0.1:${peer.port}`);
    (await peer.connection(0)).destroy();
    await expect
      .poll(() => device.transmit(getRandom4, { timeoutMs: 1000 }).catch((error: unknown) => error))
      .toMatchObject({ code: 'ERR_TPM_IO' });
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      commandSent: false,
    });
    await device.close();
  });
});

describe('mssim', () => {
  test('switches the machine on and talks to swtpm through the bridge', async () => {
    await using simulator = await startTpmSimulator();
    await using bridge = await startMssimBridge({ target: simulator.address });
    const device = await openTpmDevice(bridge.address);
    expect(device.info.kind).toBe('mssim');
    const response = await device.transmit(getRandom4, { timeoutMs: 1000 });
    expect(response.byteLength).toBeGreaterThanOrEqual(10);
    await device.close();
  });

  test('one request is one write: code, locality, size and command together', async () => {
    const word = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
    await using peer = await startScriptedPeer((chunk, socket) => {
      if (chunk.readUInt32BE(0) === 15) socket.write(Buffer.concat([word(1), word(13), word(0)]));
      else if (chunk.readUInt32BE(0) === 8) socket.write(Buffer.concat([word(10), responseOf(0), word(0)]));
    });
    const device = await openTpmDevice(`mssim://127.0.0.1:${peer.port}`, { powerOn: false });
    await device.transmit(getRandom4, { timeoutMs: 1000 });
    expect(peer.received.map((chunk) => chunk.toString('hex'))).toEqual([
      '0000000f00000001',
      `00000008000000000c${Buffer.from(getRandom4).toString('hex')}`,
    ]);
    await device.close();
    await peer.receivedAtLeast(3);
    expect(peer.received[2]?.toString('hex')).toBe('00000014');
  });

  test('an empty answer means that the TPM is switched off', async () => {
    await using peer = await startScriptedPeer((chunk, socket) => {
      socket.write(Buffer.alloc(chunk.readUInt32BE(0) === 15 ? 12 : 8));
    });
    const device = await openTpmDevice(`mssim://127.0.0.1:${peer.port}`, { powerOn: false });
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
      message: expect.stringContaining('switched off') as string,
    });
    await device.close();
  });

  test('a silent simulator is ERR_TPM_BUSY in bounded time', async () => {
    await using peer = await startScriptedPeer();
    const opening = openTpmDevice(`mssim://127.0.0.1:${peer.port}`, { powerOn: false, connectTimeoutMs: 50 });
    await expect(opening).rejects.toMatchObject({ code: 'ERR_TPM_BUSY' });
  });

  test('a command that takes too long is cancelled over the platform port, and cancelling is switched off again', async () => {
    const word = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
    const canceled = Buffer.concat([word(10), responseOf(0x909), word(0)]);
    await using commands = await startScriptedPeer((chunk, socket) => {
      if (chunk.readUInt32BE(0) === 15) socket.write(Buffer.alloc(12));
    });
    await using platform = await startScriptedPeer((chunk, socket) => {
      const code = chunk.readUInt32BE(0);
      if (code !== 20) socket.write(word(0));
      if (code === 9) void commands.connection(0).then((command) => command.write(canceled));
    });
    const device = await openTpmDevice(`mssim://127.0.0.1:${commands.port}?platform-port=${platform.port}`, {
      connectTimeoutMs: 1000,
    });
    const response = await device.transmit(getRandom4, { timeoutMs: 20 });
    expect(Buffer.from(response).toString('hex')).toBe('80010000000a00000909');
    const codes = (): number[] =>
      platform.received
        .flatMap((chunk) => chunk.toString('hex').match(/.{8}/g) ?? [])
        .map((hex) => parseInt(hex, 16));
    await expect.poll(() => codes().filter((code) => code !== 20)).toEqual([1, 11, 9, 10]);
    await device.close();
  });
});
