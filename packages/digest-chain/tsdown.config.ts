import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    oci: 'src/oci.ts',
    options: 'src/options.ts',
    cli: 'src/cli.ts',
    testing: 'src/testing/profiles.ts',
  },
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  // A process for each call: what it has to parse is what it takes to start.
  minify: { mangle: false, compress: true },
  outputOptions: {
    // Each file that is loaded takes time, too: what every verb needs, and all of a seal, is one.
    codeSplitting: {
      groups: [
        {
          name: 'core',
          // Not of the types, which are built along with it.
          test: /(?:kit\/src\/(?!command-line)|digest-chain\/src\/(?:registry|json|cli\/(?:run|arguments)|errors|digest|descriptor|reference|media-types|label-names|linked-image|read-image|side|seal|statement|attach|embedding|carry)).*(?<!\.d)\.ts$/,
        },
      ],
    },
  },
  dts: { generator: 'oxc' },
});
