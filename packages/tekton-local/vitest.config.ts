import { testConfig } from '@multi-image/testing/vitest-config';
import { mergeConfig } from 'vitest/config';

// The tests of whole runs build and run containers: one file after the other, two cores are soon full.
export default mergeConfig(testConfig, { test: { isolate: true, fileParallelism: false } });
