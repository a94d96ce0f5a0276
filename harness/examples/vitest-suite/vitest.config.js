import { defineConfig } from 'vitest/config';

// A simulator in a container takes a second to start, the first time its image is built.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } });
