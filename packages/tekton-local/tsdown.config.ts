import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/cli.ts'],
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  dts: { generator: 'oxc' },
  outputOptions: {
    codeSplitting: {
      // Each file takes a millisecond to load: what help needs is in one, and what any run needs beside it in another.
      groups: [
        { name: 'help', test: /src\/command-line\.ts$/, priority: 2 },
        { name: 'plan', test: /src\/commands\/plan\.ts$/, priority: 1 },
      ],
    },
  },
});
