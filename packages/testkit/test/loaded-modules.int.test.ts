import { findLoadedModules } from '@endorse/testkit';
import { expect, test } from 'vitest';

test('a script that loads nothing has loaded nothing', async () => {
  expect(await findLoadedModules(import.meta.url, '')).toEqual({ files: [], networking: [] });
});

test('what a script loads is found, with the networking below it', async () => {
  const { files, networking } = await findLoadedModules(
    import.meta.url,
    `await import('@endorse/interface'); await import('node:https');`,
  );
  expect(files).toContain('node:https');
  expect(files.some((file) => file.endsWith('/packages/interface/src/index.ts'))).toBe(true);
  expect(networking).toEqual(expect.arrayContaining(['NativeModule net', 'NativeModule tls']));
});
