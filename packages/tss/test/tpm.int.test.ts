import { openTpmDevice } from '@endorse/security-tpm';
import { startMssimBridge, startTpmSimulator } from '@endorse/tpm-simulator';
import { TPM_HANDLE, TPM_RC, TSS_TPM_INFO, Tpm, TpmTbsDevice, TpmTcpDevice, createTss } from '@endorse/tss';
import { describe, expect, it } from 'vitest';
import { answeringDevice, randomResponse, startBench } from './support/devices.ts';

describe('createTss', () => {
  it('takes an address, and opens it again after the simulator was restarted', async () => {
    await using bench = await startBench();
    expect(await bench.tpm.GetRandom(8)).toHaveLength(8);
    await bench.simulator.restart();
    expect(await bench.tpm.GetRandom(8)).toHaveLength(8);
  });

  it('takes an open device and leaves it open', async () => {
    await using simulator = await startTpmSimulator();
    const device = await openTpmDevice(simulator.address);
    for (let round = 0; round < 2; round += 1) {
      await using tpm = await createTss({ tpm: device });
      expect(await tpm.GetRandom(4)).toHaveLength(4);
    }
    await device.close();
  });

  it('rejects with the caller’s reason, and for an address that is none', async () => {
    await using simulator = await startTpmSimulator();
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    await expect(createTss({ tpm: simulator.address, signal })).rejects.toBe(reason);
    await expect(createTss({ tpm: 'tpm://here' })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it('hands the executor’s options on', async () => {
    const traced: string[] = [];
    const device = answeringDevice(() => randomResponse(Buffer.alloc(4)));
    const tpm = await createTss({ tpm: device, onTrace: ({ command }) => traced.push(command) });
    await tpm.GetRandom(4);
    expect(traced).toEqual(['GetRandom']);
  });
});

describe('code written for tss.js', () => {
  it('connects to a simulator by host and port, chains modifiers and calls back', async () => {
    await using simulator = await startTpmSimulator();
    await using bridge = await startMssimBridge({ target: simulator.address });
    const tpm = new Tpm(true, '127.0.0.1', bridge.commandPort);
    const result = await new Promise<unknown[]>((resolve) => {
      tpm.connect((error) => {
        tpm.enableExceptions();
        tpm.allowErrors().ReadPublic(TPM_HANDLE.persistent(1), (refusal, publicArea) => {
          resolve([error, refusal?.code, publicArea, tpm.lastResponseCode]);
        });
      });
    });
    expect(result).toEqual([null, 'ERR_TPM_HANDLE', null, TPM_RC.HANDLE]);
    await tpm.close();
  });

  it('brings a device of its own', async () => {
    await using simulator = await startTpmSimulator();
    await using bridge = await startMssimBridge({ target: simulator.address });
    const tpm = new Tpm(true);
    tpm.device = new TpmTcpDevice('127.0.0.1', bridge.commandPort);
    await tpm.open();
    expect(await tpm.GetRandom(4)).toHaveLength(4);
    await tpm.close();
    expect(() => new TpmTcpDevice('127.0.0.1', 2323, true)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error,
    );
    expect(TSS_TPM_INFO.TSS_SocketConn).toBe(4096);
  });

  it('hears of everything through continuations, of a missing driver and a missing connect() too', async () => {
    const unopened = new Tpm();
    await expect(unopened.GetRandom(4)).rejects.toMatchObject({ code: 'ERR_TPM_CLOSED' });
    const device = new TpmTbsDevice();
    const unconnected = await new Promise((resolve) => {
      device.dispatchCommand(Buffer.from('80010000000c0000017b0004', 'hex'), resolve);
    });
    expect(unconnected).toMatchObject({ code: 'ERR_TPM_CLOSED' });
  });

  it.skipIf(process.platform === 'win32')(
    'hears from the Windows device that this is not Windows',
    async () => {
      const error = await new Promise((resolve) => {
        new TpmTbsDevice().connect(resolve);
      });
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_TPM_/) as string });
    },
  );
});

describe('a device of tss.js’s kind', () => {
  const connected = (continuation: (error?: Error | null) => void): void => continuation(null);

  it.each([
    ['returns an error from connect', { connect: () => new Error('no TPM') }, 'ERR_TPM_UNREACHABLE'],
    [
      'passes an error to the continuation of connect',
      { connect: (continuation: (error?: Error | null) => void) => continuation(new Error('no TPM')) },
      'ERR_TPM_UNREACHABLE',
    ],
    [
      'throws in connect',
      {
        connect: () => {
          throw new Error('no TPM');
        },
      },
      'ERR_TPM_UNREACHABLE',
    ],
  ])('that %s is reported by open', async (_what, { connect }, code) => {
    const device = { connect, dispatchCommand: () => undefined, close: () => undefined };
    await expect(createTss({ tpm: device })).rejects.toMatchObject({ code });
  });

  it.each([
    [
      'fails',
      (_command: Buffer, continuation: (error?: Error | null) => void) => continuation(new Error('gone')),
    ],
    [
      'answers nothing',
      (_command: Buffer, continuation: (error?: Error | null) => void) => continuation(null),
    ],
    [
      'throws',
      () => {
        throw new Error('gone');
      },
    ],
  ])('that %s is an error of the command', async (_what, dispatchCommand) => {
    const tpm = await createTss({ tpm: { connect: connected, dispatchCommand, close: () => undefined } });
    await expect(tpm.GetRandom(4)).rejects.toMatchObject({ code: 'ERR_TPM_IO', commandSent: true });
    await tpm.close();
  });

  it('that answers twice does so in vain, and is closed once', async () => {
    let closed = 0;
    const tpm = await createTss({
      tpm: {
        connect: connected,
        dispatchCommand: (_command, continuation) => {
          continuation(null, randomResponse(Buffer.alloc(4, 1)));
          continuation(null, randomResponse(Buffer.alloc(4, 2)));
        },
        close: () => {
          closed += 1;
        },
      },
    });
    expect(await tpm.GetRandom(4)).toEqual(Buffer.alloc(4, 1));
    await tpm.close();
    await tpm.close();
    expect(closed).toBe(1);
  });
});

describe('waiting commands', () => {
  it('are bounded in number', async () => {
    const device = answeringDevice(() => randomResponse(Buffer.alloc(1)));
    const tpm = await createTss({ tpm: device });
    const calls = Array.from({ length: 1_001 }, () => tpm.GetRandom(1).then(String, (error: Error) => error));
    const results = await Promise.all(calls);
    expect(results.at(-1)).toMatchObject({ code: 'ERR_TPM_QUEUE_FULL' });
    expect(results.filter((result) => typeof result === 'string')).toHaveLength(1_000);
  });
});
