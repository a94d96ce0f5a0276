/** What importing the package loads: nothing native, nothing that only one kind of device needs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  const entry = await import('@endorse/security-tpm');
  const before = [...loaded];
  await entry.openTpmDevice('swtpm://127.0.0.1:1').catch(() => undefined);
  console.log(JSON.stringify({ before, after: loaded }));
`;

test('the entry loads no device, no worker, no native module; a device loads what it needs', async () => {
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
  const { before, after } = JSON.parse(stdout) as { readonly before: string[]; readonly after: string[] };
  expect(before.length).toBeGreaterThan(20);
  const foreign = before.filter((url) => url.includes('/node_modules/.pnpm/') || url.endsWith('.node'));
  expect(foreign).toEqual([]);
  const builtins = before.filter((url) => url.startsWith('node:'));
  expect([...new Set(builtins)]).toEqual(['node:crypto']);
  const devices = (urls: readonly string[]): string[] =>
    urls
      .filter((url) => /security-tpm\/src\/device\/(swtpm|mssim|linux|tbs)-/.test(url))
      .map((url) => url.replace(/.*\//, ''));
  expect(devices(before)).toEqual([]);
  expect(devices(after)).toEqual(['swtpm-device.ts']);
});
