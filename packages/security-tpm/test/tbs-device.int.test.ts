/**
 * TPM Base Services against a fake of koffi and tbs.dll (`support/fake-tbs.mjs`), in the real worker.
 * No Windows exists where this runs; the calls and codes are those of tbs.h on Microsoft Learn.
 */
import { openTpmDevice } from '@endorse/security-tpm';
import type { TpmDevice } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';
import { getRandom4 } from './support/frames.ts';

const ffiModule = new URL('./support/fake-tbs.mjs', import.meta.url).href;
const openFake = (library: string): Promise<TpmDevice> =>
  openTpmDevice('tbs:', { tbs: { ffiModule, library } });

describe('TPM Base Services', () => {
  test('opens, answers and closes, and counts as resource-managed', async () => {
    const device = await openFake('tbs.dll');
    expect(device.info).toEqual({ kind: 'tbs', resourceManaged: true, maxFrameBytes: 4096 });
    const response = await device.transmit(getRandom4, { timeoutMs: 1000 });
    expect(Buffer.from(response).toString('hex')).toBe('80010000001000000000000411223344');
    await device.close();
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_CLOSED',
    });
  });

  test('says how to get koffi when it is not installed', async () => {
    const failure = openTpmDevice('tbs:', { tbs: { ffiModule: '@endorse/no-such-module' } });
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_TPM_DRIVER_MISSING',
      remedy: 'npm install koffi',
    });
  });

  test.skipIf(process.platform === 'win32')('loads the real koffi, which finds no tbs.dll here', async () => {
    const failure: unknown = await openTpmDevice('tbs:').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_TPM_UNREACHABLE' });
    expect((failure as Error).cause).toContain('Failed to load shared library');
  });

  test.each([
    ['absent.dll', 'ERR_TPM_UNREACHABLE'],
    ['tpm12', 'ERR_TPM_UNREACHABLE'],
    ['status:0x80284008', 'ERR_TPM_UNREACHABLE'],
    ['status:0x8028400f', 'ERR_TPM_UNREACHABLE'],
    ['status:0x80284009', 'ERR_TPM_BUSY'],
    ['status:0x80284012', 'ERR_TPM_PERMISSION'],
    ['status:0x80284006', 'ERR_TPM_IO'],
  ])('turns %s into %s', async (library, code) => {
    await expect(openFake(library)).rejects.toMatchObject({ code });
  });

  test('names the group policy when Windows blocks a command', async () => {
    const device = await openFake('blocked');
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_PERMISSION',
      message: expect.stringContaining('0x80280400') as string,
    });
    await device.close();
  });

  test('cancels a command that takes too long, and hands up the answer that brings', async () => {
    const device = await openFake('slow');
    const response = await device.transmit(getRandom4, { timeoutMs: 20 });
    expect(Buffer.from(response).toString('hex')).toBe('80010000000a00000909');
    await device.close();
  });

  test('fails what is pending when the worker dies', async () => {
    const device = await openFake('crash');
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    await device.close();
  });
});
