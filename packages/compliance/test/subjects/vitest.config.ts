import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Runs the subjects; many of their tests have to fail. */
const conditions = ['@endorse/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    root: fileURLToPath(new URL('.', import.meta.url)),
    include: ['*.subjects.ts'],
    testTimeout: 1_500,
    execArgv: ['--conditions=@endorse/source'],
  },
});
