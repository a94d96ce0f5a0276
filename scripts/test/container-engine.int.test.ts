/** When we start a container engine ourselves, and which images it has to have. */
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImages } from '../lib/base-images.mjs';
import { findObstacle } from '../lib/container-engine.mjs';
import { repositoryRoot } from '../lib/root.mjs';
import { makeFolder } from './support/folder.ts';

describe('an engine of our own', () => {
  test('needs Linux, root and Docker, and the reason names what is missing', () => {
    const able = { platform: 'linux', isRoot: true, canInstall: true };
    expect(findObstacle(able)).toBeUndefined();
    expect(findObstacle({ ...able, platform: 'darwin' })).toBe('no container engine answers');
    expect(findObstacle({ ...able, isRoot: false })).toMatch(/needs root$/);
    expect(findObstacle({ ...able, canInstall: false })).toMatch(/Docker is not installed$/);
  });

  test('is not started where one answers, and images that are there are not made again', () => {
    // A docker whose engine has everything: it must not be asked for more than that.
    using folder = makeFolder({ 'bin/docker': '#!/bin/sh\necho "$@" >> "$CALLS"\n' });
    chmodSync(join(folder.path, 'bin/docker'), 0o755);
    writeFileSync(join(folder.path, 'calls'), '');
    const text = `
      import { provideContainerEngine } from './lib/container-engine.mjs';
      const { env, stop } = await provideContainerEngine(process.argv[1], { node: 'none', env: process.env });
      await stop();
      console.log(JSON.stringify(env));`;
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', text, repositoryRoot], {
      cwd: join(repositoryRoot, 'scripts'),
      env: { PATH: join(folder.path, 'bin'), CALLS: join(folder.path, 'calls') },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(JSON.parse(run.stdout)).toEqual({ ENDORSE_CONTAINERS: 'available' });
  });
});

test('base images are those that the Dockerfiles name, Debian first, each once', () => {
  using folder = makeFolder({
    'harness/images/one/Dockerfile': 'FROM node:24-bookworm-slim\nRUN true\n',
    'harness/images/two/Dockerfile': 'FROM debian:bookworm-slim AS build\nFROM node:24-bookworm-slim\n',
    'harness/images/notes/README.md': 'FROM here on',
  });
  expect(baseImages(folder.path)).toEqual(['debian:bookworm-slim', 'node:24-bookworm-slim']);
});
