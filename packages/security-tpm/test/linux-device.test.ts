/**
 * The Linux device against a fake of the system calls it makes: what the kernel documents (drivers/char/tpm) and
 * what `fs.promises` does with it. No /dev/tpm* exists where this runs.
 */
import { openTpmDevice } from '@endorse/security-tpm';
import type { LinuxFile, LinuxFileSystem } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';
import { getRandom4, responseOf } from './support/frames.ts';

interface FakeKernel extends LinuxFileSystem {
  readonly calls: string[];
  readonly written: Uint8Array[];
}

const errno = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** Devices by path: an errno name, or what the device answers to each command. */
function fakeKernel(
  devices: Readonly<Record<string, string | (() => Promise<Uint8Array> | Uint8Array)>>,
): FakeKernel {
  const calls: string[] = [];
  const written: Uint8Array[] = [];
  return {
    calls,
    written,
    open: async (path) => {
      calls.push(`open ${path}`);
      const device = devices[path] ?? 'ENOENT';
      if (typeof device === 'string') throw errno(device);
      return fakeFile(device, calls, written);
    },
  };
}

function fakeFile(
  answer: () => Promise<Uint8Array> | Uint8Array,
  calls: string[],
  written: Uint8Array[],
): LinuxFile {
  return {
    write: async (buffer, offset, length, position) => {
      expect(position).toBeNull();
      calls.push(`write ${length}`);
      written.push(buffer.slice(offset, offset + length));
      return { bytesWritten: length };
    },
    read: async (buffer, _offset, length) => {
      calls.push(`read ${length}`);
      const response = await answer();
      buffer.set(response);
      return { bytesRead: response.byteLength };
    },
    close: async () => {
      calls.push('close');
    },
  };
}

describe('the Linux device', () => {
  test('opens /dev/tpmrm0 before /dev/tpm0 and says that it is resource-managed', async () => {
    const fileSystem = fakeKernel({ '/dev/tpmrm0': () => responseOf(0), '/dev/tpm0': () => responseOf(0) });
    const device = await openTpmDevice('device:', { fileSystem });
    expect(fileSystem.calls).toEqual(['open /dev/tpmrm0']);
    expect(device.info).toEqual({ kind: 'linux', resourceManaged: true, maxFrameBytes: 4096 });
  });

  test('falls back to /dev/tpm0 only when there is no /dev/tpmrm0', async () => {
    const fileSystem = fakeKernel({ '/dev/tpm0': () => responseOf(0) });
    const device = await openTpmDevice('device:', { fileSystem });
    expect(fileSystem.calls).toEqual(['open /dev/tpmrm0', 'open /dev/tpm0']);
    expect(device.info.resourceManaged).toBe(false);
  });

  test('does not take the chip from the resource manager when that one refuses us', async () => {
    const fileSystem = fakeKernel({ '/dev/tpmrm0': 'EACCES', '/dev/tpm0': () => responseOf(0) });
    await expect(openTpmDevice('device:', { fileSystem })).rejects.toMatchObject({
      code: 'ERR_TPM_PERMISSION',
      retryable: false,
      remedy: expect.stringContaining('tss') as string,
    });
    expect(fileSystem.calls).toEqual(['open /dev/tpmrm0']);
  });

  test.each([
    ['ENOENT', 'ERR_TPM_UNREACHABLE'],
    ['ENODEV', 'ERR_TPM_UNREACHABLE'],
    ['EBUSY', 'ERR_TPM_BUSY'],
    ['EACCES', 'ERR_TPM_PERMISSION'],
    ['EPERM', 'ERR_TPM_PERMISSION'],
    ['EIO', 'ERR_TPM_IO'],
  ])('turns %s on opening into %s', async (code, expected) => {
    const fileSystem = fakeKernel({ '/dev/tpm7': code });
    await expect(openTpmDevice('device:///dev/tpm7', { fileSystem })).rejects.toMatchObject({
      code: expected,
      cause: { code },
    });
  });

  test('writes a whole command once and reads a whole response once, with a full-size buffer', async () => {
    const response = responseOf(0, Uint8Array.of(0, 4, 1, 2, 3, 4));
    const fileSystem = fakeKernel({ '/dev/tpmrm0': () => response });
    const device = await openTpmDevice('device:', { fileSystem });
    expect(await device.transmit(getRandom4, { timeoutMs: 100 })).toEqual(Uint8Array.from(response));
    expect(fileSystem.calls).toEqual(['open /dev/tpmrm0', 'write 12', 'read 4096']);
    expect(fileSystem.written).toEqual([getRandom4]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', Buffer.from('800100', 'hex')],
    ['fewer bytes than the header says', responseOf(0, new Uint8Array(20)).subarray(0, 15)],
    ['a tag of TPM 1.2', Buffer.from('00c40000000a00000000', 'hex')],
  ])('fails with ERR_TPM_IO and stays closed when a read brings %s', async (_, response) => {
    const fileSystem = fakeKernel({ '/dev/tpmrm0': () => response });
    const device = await openTpmDevice('device:', { fileSystem });
    await expect(device.transmit(getRandom4, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
      commandSent: true,
    });
    await expect(device.transmit(getRandom4, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    expect(fileSystem.calls.filter((call) => call.startsWith('write'))).toHaveLength(1);
  });

  test('says that the resource manager is full when the kernel has no room in our space', async () => {
    const fileSystem: LinuxFileSystem = {
      open: async () => ({
        ...fakeFile(() => responseOf(0), [], []),
        write: async () => Promise.reject(errno('ENOMEM')),
      }),
    };
    const device = await openTpmDevice('device:', { fileSystem });
    await expect(device.transmit(getRandom4, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
      commandSent: false,
      message: expect.stringContaining('resource manager') as string,
    });
  });

  test('gives up a read that takes too long, never uses the device again, and closing stays bounded', async () => {
    const fileSystem = fakeKernel({ '/dev/tpmrm0': () => new Promise<Uint8Array>(() => undefined) });
    const device = await openTpmDevice('device:', { fileSystem });
    await expect(device.transmit(getRandom4, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ERR_TPM_TIMEOUT',
      fault: 'deadline',
      commandSent: true,
    });
    await expect(device.transmit(getRandom4, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    await device.close();
    expect(fileSystem.calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  test('closes a device that opens after we stopped waiting for it', async () => {
    const calls: string[] = [];
    let finishOpening = (_file: LinuxFile): void => undefined;
    const opening = new Promise<LinuxFile>((resolve) => {
      finishOpening = resolve;
    });
    await expect(
      openTpmDevice('device:', { fileSystem: { open: () => opening }, connectTimeoutMs: 10 }),
    ).rejects.toMatchObject({ code: 'ERR_TPM_TIMEOUT' });
    finishOpening(fakeFile(() => responseOf(0), calls, []));
    await expect.poll(() => calls).toEqual(['close']);
  });
});

describe('the Linux device on the real file system', () => {
  test('a path without a device is ERR_TPM_UNREACHABLE', async () => {
    await expect(openTpmDevice('device:///dev/endorse-no-such-device')).rejects.toMatchObject({
      code: 'ERR_TPM_UNREACHABLE',
      cause: { code: 'ENOENT' },
    });
  });

  // Both take a write of any length; one answers nothing, the other zeros without end.
  test.each(['/dev/null', '/dev/zero'])('%s is no TPM: ERR_TPM_IO', async (path) => {
    const device = await openTpmDevice(`device://${path}`);
    await expect(device.transmit(getRandom4, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_TPM_IO',
    });
    await device.close();
  });
});
