/** Oracle: OpenSSL, through `node:crypto`, for the quote; the TPM's own properties for its firmware version. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('programs/consumer.mjs', import.meta.url));

describe('a consumer', () => {
  it('quotes, reads NV, has two commands in flight, and leaves nothing behind', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const before = await readTpmSnapshot(simulator.address);
    const options = ['--conditions=@endorse/source', '--throw-deprecation', program, simulator.address];
    const { stdout, stderr } = await run(process.execPath, options);
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as { firmwareVersion: string; nv: string; inFlight: number[] };
    expect(report).toMatchObject({ nv: 'held by the TPM', inFlight: [4, 16] });
    expect(BigInt(report.firmwareVersion)).toBeGreaterThan(2n ** 32n);
    expect(await readTpmSnapshot(simulator.address)).toEqual(before);
  });
});
