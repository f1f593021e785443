import { testConfig } from '@multi-image/testing/vitest-config';
import { defineConfig, mergeConfig } from 'vitest/config';

export default mergeConfig(
  testConfig,
  // They share one cluster, and this machine with it; the tests of a file that may wait side by side are few at a time.
  defineConfig({ test: { fileParallelism: false, maxConcurrency: 6, testTimeout: 900_000, hookTimeout: 900_000 } }),
);
