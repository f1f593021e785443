import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/oci.ts', 'src/cli.ts'],
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  // A process for each call: what it has to parse is what it takes to start.
  minify: { mangle: false, compress: true },
  dts: { generator: 'oxc' },
});
