/** What loading the entry costs: the codecs must not drag sockets, files or timers in. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

async function builtinsLoadedBy(code: string): Promise<readonly string[]> {
  const script = `${code}; console.log(JSON.stringify(process.moduleLoadList))`;
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@endorse/source', '--input-type=module', '--eval', script],
    { cwd: new URL('..', import.meta.url), timeout: 20_000 },
  );
  return (JSON.parse(stdout) as readonly string[])
    .filter((name) => name.startsWith('NativeModule ') && !name.includes('internal/'))
    .map((name) => name.slice('NativeModule '.length));
}

test('the entry loads node:crypto and nothing that does IO', async () => {
  const [bare, withCrypto, withProtocol] = await Promise.all([
    builtinsLoadedBy(''),
    builtinsLoadedBy("await import('node:crypto')"),
    builtinsLoadedBy("await import('@endorse/protocol')"),
  ]);
  expect(withCrypto.length).toBeGreaterThan(bare.length);
  expect(withProtocol.filter((name) => !withCrypto.includes(name))).toEqual([]);
  expect(withProtocol).not.toContain('tls');
});
