import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { prepareStateTemplate, readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { command } from './support/raw-client.ts';
import { runProgram } from './support/run-program.ts';
import { bytes, codeOf } from './support/tpm-bytes.ts';

const storageRootKey = 0x8100_0001;
const endorsementKey = 0x8101_0001;

describe('prepareStateTemplate', () => {
  it('persists EK and SRK and leaves nothing else', async () => {
    const template = await prepareStateTemplate();
    await using simulator = await startTpmSimulator({ stateFrom: template.directory });
    expect(await readTpmSnapshot(simulator.address)).toEqual({
      transient: [],
      loadedSessions: [],
      savedSessions: [],
      persistent: [storageRootKey, endorsementKey],
      nvIndices: [],
    });
    expect(template.endorsementRootsPem).toEqual([]);
  });

  it('gives each variant keys of its own, the same every time', async () => {
    const readKey = async (variant: string): Promise<string> => {
      await using simulator = await startTpmSimulator({ provisioned: true, variant });
      const answer = await command(simulator.address, bytes.readPublic(endorsementKey));
      expect(codeOf(answer)).toBe('00000000');
      return answer;
    };
    const first = await readKey('default');
    expect(await readKey('default')).toBe(first);
    expect(await readKey('other')).not.toBe(first);
  });

  it('may be called by several processes at once', async () => {
    await using cache = await temporaryDirectory();
    const programs = await Promise.all(
      Array.from({ length: 4 }, () => runProgram('prepare-template.ts', { TEMPLATE_CACHE: cache.path })),
    );
    expect(await Promise.all(programs.map((program) => program.ended))).toEqual([0, 0, 0, 0]);
    const directories = new Set(programs.map((program) => program.firstLine));
    expect(directories.size).toBe(1);
    const [directory] = directories;
    expect(await readdir(cache.path)).toEqual([dirname(String(directory)).slice(cache.path.length + 1)]);
    expect(await readdir(String(directory))).toEqual(['tpm2-00.permall']);
  });

  it('leaves nothing in the cache when it fails', async () => {
    await using cache = await temporaryDirectory();
    const reason = new Error('changed my mind');
    const options = { cacheDirectory: cache.path, signal: AbortSignal.abort(reason) };
    await expect(prepareStateTemplate(options)).rejects.toBe(reason);
    expect(await readdir(cache.path)).toEqual([]);
  });

  it('trusts no cache that others can write', async () => {
    await using cache = await temporaryDirectory();
    await chmod(cache.path, 0o777);
    await expect(prepareStateTemplate({ cacheDirectory: cache.path })).rejects.toMatchObject({
      code: 'ERR_SIMULATOR_START',
      message: expect.stringContaining('other users') as string,
    });
  });

  it('reports a missing program', async () => {
    await expect(prepareStateTemplate({ executable: 'no-such-swtpm' })).rejects.toMatchObject({
      code: 'ERR_SIMULATOR_MISSING',
    });
  });
});

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'endorse-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
