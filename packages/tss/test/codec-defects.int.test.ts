/**
 * The defects of tss.js 2.0.0 in what it makes of bytes: each shown on the npm package, and shown mended.
 */
import {
  TPM2B_DIGEST,
  TPMT_PUBLIC,
  TPMT_SENSITIVE,
  TPM_HANDLE,
  TPM_HC,
  TPM_HT,
  TpmBuffer,
  createTss,
} from '@endorse/tss';
import { describe, expect, it } from 'vitest';
import { answeringDevice, responseOf, startBench } from './support/devices.ts';
import { eccStorageKey, noData } from './support/keys.ts';
import { original } from './support/original.ts';

describe('defect 6: handles are signed', () => {
  it('original: a transient handle is negative, has a negative type and no name', () => {
    const handle = original.TPM_HANDLE.fromBytes(Buffer.from('80000000', 'hex'));
    expect(handle.handle).toBe(-0x8000_0000);
    expect(handle.getType()).toBeLessThan(0);
    expect(() => handle.getName()).toThrow('Unknown handle type');
    expect(original.TPM_HANDLE.persistent(1).handle).toBeLessThan(0);
  });

  it('mended: from the TPM, from bytes, from arithmetic and as constants they are unsigned', async () => {
    await using bench = await startBench();
    const { handle, name } = await eccStorageKey(bench.tpm);
    expect(handle.handle).toBe(0x8000_0000);
    expect(handle.getType()).toBe(TPM_HT.TRANSIENT);
    handle.name = name;
    expect(handle.getName()).toEqual(name);
    await bench.tpm.FlushContext(handle);
    expect(TPM_HANDLE.fromBytes(Buffer.from('81000001', 'hex')).handle).toBe(0x8100_0001);
    expect(TPM_HANDLE.persistent(1)).toMatchObject({ handle: 0x8100_0001 });
    expect(TPM_HANDLE.persistent(1).getType()).toBe(TPM_HT.PERSISTENT);
    expect(TPM_HANDLE.NV(2).handle).toBe(0x0100_0002);
    expect(new TPM_HANDLE(0x8000_0000 | 1).handle).toBe(0x8000_0001);
    expect(TPM_HC.PERSISTENT_FIRST).toBe(0x8100_0000);
    expect(TPM_HC.TRANSIENT_FIRST).toBe(0x8000_0000);
  });
});

describe('defect 7: 64-bit integers are written wrong', () => {
  const written = (buffer: { writeInt64(value: number): void; trim(): Buffer }, value: number): string => {
    buffer.writeInt64(value);
    return buffer.trim().toString('hex');
  };

  it('original: the low half is repeated', () => {
    expect(written(new original.TpmBuffer(), 0x01_0203_0405)).toBe('0203040502030405');
  });

  it('mended: exactly, as number and as bigint', () => {
    expect(written(new TpmBuffer(), 0x01_0203_0405)).toBe('0000000102030405');
    const buffer = new TpmBuffer();
    buffer.writeInt64(0xfedc_ba98_7654_3210n);
    expect(buffer.trim().toString('hex')).toBe('fedcba9876543210');
  });
});

describe('defect 8: 64-bit integers are read wrong', () => {
  it('original: the halves are added', () => {
    const buffer = new original.TpmBuffer(Buffer.from('0000000100000002', 'hex'));
    expect(buffer.readInt64()).toBe(3);
  });

  it('mended: the clock reads what it was set to', async () => {
    expect(new TpmBuffer(Buffer.from('0000000100000002', 'hex')).readInt64()).toBe(0x1_0000_0002n);
    await using bench = await startBench();
    const newTime = 2n ** 40n + 12_345n;
    await bench.tpm.ClockSet(TPM_HANDLE.OWNER, newTime);
    const { clockInfo } = await bench.tpm.ReadClock();
    expect(clockInfo.clock).toBeGreaterThanOrEqual(newTime);
    expect(clockInfo.clock - newTime).toBeLessThan(60_000n);
  });
});

describe('defect 9: a truncated TPM2B', () => {
  const truncated = Buffer.from('000401', 'hex');

  it('original: is null, without a word', () => {
    expect(original.TPM2B_DIGEST.fromBytes(truncated).buffer).toBe(null);
  });

  it('mended: is malformed', () => {
    expect(() => TPM2B_DIGEST.fromBytes(truncated)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }) as Error,
    );
  });
});

describe('defect 10: a structure whose union is not set', () => {
  it('original: vanishes from the wire', () => {
    expect(new original.TPMT_PUBLIC().toBytes()).toHaveLength(0);
  });

  it('mended: throws, and sends nothing', async () => {
    const unencodable = expect.objectContaining({ code: 'ERR_LOCAL_UNENCODABLE' }) as Error;
    expect(() => new TPMT_PUBLIC().toBytes()).toThrow(unencodable);
    const device = answeringDevice(() => responseOf(0));
    const tpm = await createTss({ tpm: device });
    await expect(tpm.LoadExternal(new TPMT_SENSITIVE(), new TPMT_PUBLIC(), TPM_HANDLE.NULL)).rejects.toThrow(
      unencodable,
    );
    await expect(tpm.Quote(TPM_HANDLE.OWNER, noData, null as never, [])).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('Quote') as string,
    });
    expect(device.commands).toEqual([]);
  });
});

describe('defect 13: a corrupt activation blob', () => {
  it('original: turns into null, on which whoever reads on trips', () => {
    const buffer = new original.TpmBuffer(Buffer.from('00ff0102', 'hex'));
    expect(buffer.readSizedByteBuf()).toBe(null);
  });

  it('mended: is malformed where it is read', () => {
    const buffer = new TpmBuffer(Buffer.from('00ff0102', 'hex'));
    expect(() => buffer.readSizedByteBuf()).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }) as Error,
    );
  });
});
