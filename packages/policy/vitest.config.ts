import { testConfig } from '@multi-image/testing/vitest-config';
import { defineConfig, mergeConfig } from 'vitest/config';

export default mergeConfig(testConfig, defineConfig({ test: { globalSetup: ['./src/testing/opa.ts'] } }));
