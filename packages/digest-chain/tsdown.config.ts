import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', oci: 'src/oci.ts', cli: 'src/cli.ts', testing: 'src/testing/profiles.ts' },
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  // A process for each call: what it has to parse is what it takes to start.
  minify: { mangle: false, compress: true },
  dts: { generator: 'oxc' },
});
