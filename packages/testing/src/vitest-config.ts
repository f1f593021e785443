import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Milliseconds. What takes longest, a whole run of a chain, takes 20 s by itself; what `test:slow` does, many minutes. */
const LIMIT = process.env.SLOW === undefined ? 240_000 : 1_800_000;

/** How every package's tests are run; what a package wants otherwise it gives to `mergeConfig`. */
export const testConfig: ViteUserConfig = defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    // To end what hangs, not to measure: on a busy machine everything takes a multiple of its time.
    testTimeout: LIMIT,
    hookTimeout: LIMIT,
    expect: { poll: { timeout: 180_000, interval: 10 } },
    // A worker of its own for each file takes longer than most files do. Tests leave the process as they found it.
    isolate: false,
    // The folder in which tests make their temporary ones.
    globalSetup: fileURLToPath(new URL('./scratch.ts', import.meta.url)),
    // Most of the time a test waits for a registry, a builder or a command.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // What Node makes of the TypeScript of a command is kept for the next command.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)) },
  },
});
