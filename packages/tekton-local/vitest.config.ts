import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The tests build and run containers: one file after the other, two cores are soon full.
    fileParallelism: false,
  },
});
