import {
  prepareStateTemplate,
  readTpmSnapshot,
  startMssimBridge,
  startTpmSimulator,
} from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';

describe('options nobody can follow', () => {
  it.each([
    ['an unknown kind of address', { address: 'pipe' as 'tcp' }, 'ERR_INVALID_ARGUMENT'],
    ['two sources of state', { stateFrom: '/state', provisioned: true }, 'ERR_INVALID_ARGUMENT'],
    [
      'two sources of state, one certified',
      { stateFrom: '/x', endorsementCertificate: true },
      'ERR_INVALID_ARGUMENT',
    ],
    ['a variant without a name', { provisioned: true, variant: '' }, 'ERR_INVALID_ARGUMENT'],
    ['a time-out of nothing', { timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a time-out of days', { timeoutMs: 100_000_000 }, 'ERR_OUT_OF_RANGE'],
    ['half a millisecond', { timeoutMs: 0.5 }, 'ERR_OUT_OF_RANGE'],
  ])('%s', async (_what, options, code) => {
    await expect(startTpmSimulator({ ...options, executable: 'no-such-program' })).rejects.toMatchObject({
      code,
    });
  });

  it('reach no program for a template either', async () => {
    await expect(
      prepareStateTemplate({ variant: 'x'.repeat(101), executable: 'no-such-program' }),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });

  it.each([
    '',
    'mssim://127.0.0.1:2321',
    'swtpm://127.0.0.1',
    'swtpm://127.0.0.1:65535',
    'swtpm+unix://',
    'device:///dev/tpm0',
  ])('an address that is not a simulator’s: %j', async (address) => {
    await expect(readTpmSnapshot(address)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    await expect(startMssimBridge({ target: address })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });

  it('a port with no port after it', async () => {
    await expect(startMssimBridge({ target: 'swtpm://127.0.0.1:2321', port: 65_535 })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});
