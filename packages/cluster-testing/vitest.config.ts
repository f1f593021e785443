import { testConfig } from '@multi-image/testing/vitest-config';
import { defineConfig, mergeConfig } from 'vitest/config';

export default mergeConfig(
  testConfig,
  // They share one cluster, and this machine with it.
  defineConfig({ test: { fileParallelism: false, testTimeout: 900_000, hookTimeout: 900_000 } }),
);
