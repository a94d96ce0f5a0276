import { defineConfig } from 'vitest/config';

/**
 * One configuration for every suite. `unit` is pure and fast, `int` uses
 * loopback sockets and swtpm, `system` needs what `npm run test:system` sets up,
 * `containers` a container engine.
 * The source condition makes tests run from `src/`, so nothing is built first.
 */
const conditions = ['@endorse/source'];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};
const execArgv = ['--conditions=@endorse/source'];

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          // The tests are pure, so a worker may go on to the next file: a third of the time.
          isolate: false,
          include: ['{packages/*,harness,scripts}/test/**/*.{test,property.test}.ts'],
          exclude: ['**/*.{int,e2e,system,container}.test.ts', '**/node_modules/**', '**/dist/**'],
          testTimeout: 10_000,
          execArgv,
        },
      },
      {
        ...shared,
        test: {
          name: 'int',
          include: ['{packages/*,harness,scripts}/{test,suites}/**/*.{int,e2e}.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          execArgv,
        },
      },
      {
        ...shared,
        test: {
          name: 'system',
          include: ['{packages/*,harness}/{test,suites}/**/*.system.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          execArgv,
        },
      },
      {
        ...shared,
        test: {
          name: 'containers',
          include: ['harness/suites/**/*.container.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          // The first test of a file builds its image.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          execArgv,
        },
      },
    ],
  },
});
