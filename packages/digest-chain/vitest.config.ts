import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Real registries, builds and commands on a machine that may be busy.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    include: ['src/**/*.test.ts'],
  },
});
