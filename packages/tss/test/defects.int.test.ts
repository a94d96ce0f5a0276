/**
 * The defects of tss.js 2.0.0 in how it talks to a TPM, as far as they do not lie in its devices: each shown on the npm
 * package where that can be done without harm, and shown mended. Those of its codec are in codec-defects.int.test.ts,
 * those of its sessions in sessions.int.test.ts, its deprecated calls (12) in generated.test.ts.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openTpmDevice } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { TPM_HANDLE, TPM_RC, Tpm, TpmError, TpmTcpDevice, createTss } from '@endorse/tss';
import { describe, expect, it } from 'vitest';
import {
  answeringDevice,
  asTssDevice,
  originalOver,
  randomResponse,
  responseOf,
  startBench,
} from './support/devices.ts';
import { noData } from './support/keys.ts';
import { original } from './support/original.ts';

const run = promisify(execFile);
const crashProgram = fileURLToPath(new URL('programs/original-crash.cjs', import.meta.url));
const retry = 0x922;
const yielded = 0x908;
const testing = 0x90a;

describe('defect 1: two commands in flight', () => {
  it('original: the second gets the answer of the first, the first never gets any', async () => {
    await using simulator = await startTpmSimulator();
    const device = await openTpmDevice(simulator.address);
    const tpm = originalOver(asTssDevice(device));
    let firstSettled = false;
    tpm.GetRandom(4, () => {
      firstSettled = true;
    });
    const second = await new Promise<Buffer>((resolve) => {
      tpm.GetRandom(16, (_error, bytes) => resolve(bytes ?? noData));
    });
    expect(second).toHaveLength(4);
    expect(firstSettled).toBe(false);
    await device.close();
  });

  it('mended: each gets its own answer, in order', async () => {
    await using bench = await startBench();
    const order: number[] = [];
    const lengths = await Promise.all(
      [4, 16, 1, 32].map((length) =>
        bench.tpm.GetRandom(length).then((bytes) => {
          order.push(length);
          return bytes.length;
        }),
      ),
    );
    expect(lengths).toEqual([4, 16, 1, 32]);
    expect(order).toEqual([4, 16, 1, 32]);
  });

  it('mended: a continuation finds the response code of its own command', async () => {
    await using bench = await startBench();
    const { tpm } = bench;
    const codes = await new Promise<number[]>((resolve) => {
      const seen: number[] = [];
      const note = (): void => {
        seen.push(tpm.lastResponseCode);
        if (seen.length === 3) resolve(seen);
      };
      tpm.ReadPublic(TPM_HANDLE.persistent(1), note);
      tpm.GetRandom(4, note);
      tpm.ReadPublic(TPM_HANDLE.persistent(1), note);
    });
    expect(codes).toEqual([TPM_RC.HANDLE, TPM_RC.SUCCESS, TPM_RC.HANDLE]);
  });
});

describe('defect 2: the simulator refuses the connection', () => {
  it('original: the process dies of an uncaught error', async () => {
    const ended = run(process.execPath, [crashProgram, 'refused', String(await closedPort())]);
    await expect(ended).rejects.toMatchObject({ code: 1, stdout: '' });
    await expect(ended).rejects.toThrow('ECONNREFUSED');
  });

  it('mended: connect reports it, open rejects with it', async () => {
    const port = await closedPort();
    const error = await new Promise((resolve) => {
      new Tpm(true, '127.0.0.1', port).connect(resolve);
    });
    expect(error).toMatchObject({ code: 'ERR_TPM_UNREACHABLE' });
    await expect(createTss({ tpm: `mssim://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'ERR_TPM_UNREACHABLE',
    });
    const fromDevice = await new Promise((resolve) => {
      new TpmTcpDevice('127.0.0.1', port).connect(resolve);
    });
    expect(fromDevice).toMatchObject({ code: 'ERR_TPM_UNREACHABLE' });
  });
});

describe('defect 3: a server that is silent, or closes in mid-handshake', () => {
  it.each([
    ['is silent', () => undefined],
    ['closes', (socket: { destroy(): void }) => socket.destroy()],
  ])('mended: one that %s is reported in time', async (_what, treat) => {
    const server = createServer(treat).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const startedAt = performance.now();
    const opening = createTss({ tpm: `mssim://127.0.0.1:${port}`, device: { connectTimeoutMs: 200 } });
    await expect(opening).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TPM_(UNREACHABLE|TIMEOUT|IO)$/) as string,
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    server.close();
  });

  it('mended: a device that never answers is given up', async () => {
    const tpm = await createTss({
      tpm: {
        connect: (continuation) => continuation(null),
        dispatchCommand: () => undefined,
        close: () => undefined,
      },
      timeoutFactor: 0.001,
    });
    await expect(tpm.GetRandom(4)).rejects.toMatchObject({ code: 'ERR_TPM_TIMEOUT' });
    expect(tpm.lastResponseCode).toBe(TPM_RC.TSS_DISPATCH_FAILED);
    await tpm.close();
  });
});

describe('defect 4: a response that is too short', () => {
  it('original: the process dies of an uncaught exception', async () => {
    await expect(run(process.execPath, [crashProgram, 'short'])).rejects.toMatchObject({
      code: 1,
      stdout: '',
    });
  });

  it.each([
    ['of two bytes', Buffer.alloc(2)],
    ['of nothing', Buffer.alloc(0)],
    ['whose size is not true', Buffer.from('80010000000b00000000', 'hex')],
    ['with another tag', Buffer.from('80020000000a00000000', 'hex')],
    ['without its parameters', responseOf(0)],
    ['with a parameter too many', Buffer.concat([randomResponse(noData), Buffer.alloc(0)]).fill(0x0d, 5, 6)],
  ])('mended: one %s is an error of its command only', async (_what, response) => {
    const device = answeringDevice((_command, count) =>
      count === 1 ? response : randomResponse(Buffer.alloc(4)),
    );
    const tpm = await createTss({ tpm: device });
    await expect(tpm.GetRandom(4)).rejects.toMatchObject({ code: 'ERR_TPM_MALFORMED' });
    expect(tpm.lastResponseCode).toBe(TPM_RC.TSS_RESP_BUF_INVALID_SIZE);
    expect(await tpm.GetRandom(4)).toHaveLength(4);
  });
});

describe('defect 5: the TPM asks to be asked again', () => {
  it('original: sends again at once, without a pause and without an end', async () => {
    let submissions = 0;
    const tpm = originalOver({
      connect: (continuation) => continuation(null),
      dispatchCommand: (_command, continuation) => {
        submissions += 1;
        setImmediate(continuation, null, responseOf(submissions < 5_000 ? retry : 0x101));
      },
      close: () => undefined,
    });
    const startedAt = performance.now();
    await new Promise((resolve) => {
      tpm.GetRandom(4, resolve);
    });
    expect(submissions).toBe(5_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it.each([
    ['RETRY', retry],
    ['YIELDED', yielded],
    ['TESTING', testing],
  ])('mended: %s is answered by the same bytes again, after a pause', async (_name, code) => {
    const device = answeringDevice((_command, count) =>
      count < 4 ? responseOf(code) : randomResponse(Buffer.alloc(4)),
    );
    const tpm = await createTss({ tpm: device });
    expect(await tpm.GetRandom(4)).toHaveLength(4);
    expect(device.commands).toHaveLength(4);
    expect(new Set(device.commands.map((command) => command.toString('hex'))).size).toBe(1);
  });

  it.each([
    ['RETRY', retry],
    ['TESTING', testing],
  ])('mended: %s for ever ends within its bound', async (name, code) => {
    const device = answeringDevice(() => responseOf(code));
    const tpm = await createTss({ tpm: device, retry: { resendForMs: 20, testingForMs: 20 } });
    await expect(tpm.GetRandom(4)).rejects.toMatchObject({ code: `ERR_TPM_${name}`, retryable: true });
    expect(device.commands.length).toBeLessThan(10);
  });
});

describe('defect 11: the response code loses what it is about', () => {
  const refuse = (code: number) => answeringDevice(() => responseOf(code));

  it('original: handle, parameter and session are gone', async () => {
    const tpm = originalOver(asTssDevice(refuse(0x18b)));
    const error = await new Promise<Error>((resolve) => {
      tpm.ReadPublic(new original.TPM_HANDLE(0x8100_0001), resolve);
    });
    expect(error).toMatchObject({
      responseCode: 0x08b,
      message: expect.stringContaining('undefined') as string,
    });
  });

  it.each([
    ['0x18b', 'HANDLE', { kind: 'handle', number: 1 }, 0x08b],
    ['0x2d5', 'SIZE', { kind: 'parameter', number: 2 }, 0x095],
    ['0x9a2', 'BAD_AUTH', { kind: 'session', number: 1 }, 0x0a2],
    ['0x101', 'FAILURE', undefined, 0x101],
    ['0xb018b', 'HANDLE', { kind: 'handle', number: 1 }, 0x08b],
  ] as const)('mended: %s says what and where', async (hex, name, subject, responseCode) => {
    const rc = Number(hex);
    const tpm = await createTss({ tpm: refuse(rc) });
    const error: unknown = await tpm.ReadPublic(TPM_HANDLE.persistent(1)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TpmError);
    expect(error).toMatchObject({
      code: `ERR_TPM_${name}`,
      rc,
      responseCode,
      tpmCommand: 'ReadPublic',
      decoded: { subject },
      remedy: expect.any(String) as string,
    });
    expect(tpm.lastResponseCode).toBe(responseCode);
    expect(tpm.lastError).toBe(error);
  });
});

describe('defect 15: close', () => {
  it('mended: later commands are refused, waiting ones are answered, and it can be opened again', async () => {
    await using simulator = await startTpmSimulator();
    const tpm = await createTss({ tpm: simulator.address });
    const waiting = tpm.GetRandom(4);
    await tpm.close();
    expect(await waiting).toHaveLength(4);
    await expect(tpm.GetRandom(4)).rejects.toMatchObject({ code: 'ERR_TPM_CLOSED' });
    await tpm.close();
    await tpm.open();
    expect(await tpm.GetRandom(4)).toHaveLength(4);
    await tpm.close();
  });
});

/** A port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
