/** What importing the package loads: it is pure, and everyone who touches a TPM pays for it at start-up. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  await import('@endorse/tpm2');
  console.log(JSON.stringify(loaded));
`;

test('the entry loads itself, the contracts and node:crypto, nothing else', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=@endorse/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      script,
    ],
    { cwd: import.meta.dirname },
  );
  const loaded = JSON.parse(stdout) as readonly string[];
  const foreign = loaded.filter((url) => !/\/packages\/(tpm2|interface)\/src\//.test(url));
  expect([...new Set(foreign)]).toEqual(['node:crypto']);
  expect(loaded.some((url) => url.endsWith('/packages/tpm2/src/index.ts'))).toBe(true);
  // Contracts only: neither the system ports nor the virtual clock.
  expect(loaded.filter((url) => /\/interface\/src\/(node|virtual-clock)\.ts$/.test(url))).toEqual([]);
});
