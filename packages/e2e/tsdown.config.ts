import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: {
    cli: 'src/cli.ts',
    // A process of its own: janitor.ts starts it.
    'janitor-process': 'src/targets/local/janitor-process.ts',
  },
  platform: 'node',
  target: 'node22',
  fixedExtension: false,
  dts: false,
  // The Tasks that stand in for the catalog's are data.
  copy: ['../../stand-ins'],
});
