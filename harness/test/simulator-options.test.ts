import { startTpmSimulator } from '@endorse/harness';
import type { SimulatorOptions } from '@endorse/harness';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => vi.unstubAllEnvs());

describe('startTpmSimulator refuses what nobody can follow, before it starts anything', () => {
  const refused: readonly (readonly [string, SimulatorOptions, string])[] = [
    ['a runtime there is not', { runtime: 'vm' as 'process' }, 'ERR_INVALID_ARGUMENT'],
    ['a protocol there is not', { image: 'tpm', protocol: 'tcp' as 'mssim' }, 'ERR_INVALID_ARGUMENT'],
    ['an image for a process', { runtime: 'process', image: 'tpm' }, 'ERR_INVALID_ARGUMENT'],
    ['mssim from our image', { runtime: 'container', protocol: 'mssim' }, 'ERR_INVALID_ARGUMENT'],
    ['no time at all', { timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    ['more time than anybody has', { timeoutMs: 600_001 }, 'ERR_OUT_OF_RANGE'],
  ];
  test.for(refused)('%s', async ([, options, code]) => {
    await expect(startTpmSimulator(options)).rejects.toMatchObject({ code });
  });

  test('a variable of the environment, named in the message', async () => {
    vi.stubEnv('ENDORSE_TPM_IMAGE', 'tpm');
    vi.stubEnv('ENDORSE_TPM_PROTOCOL', 'telnet');
    await expect(startTpmSimulator()).rejects.toThrow(/ENDORSE_TPM_PROTOCOL/);
  });

  test('an aborted signal, with its reason', async () => {
    const reason = new Error('not today');
    await expect(startTpmSimulator({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
