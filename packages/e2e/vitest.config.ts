import { testConfig } from '@multi-image/testing/vitest-config';
import { configDefaults, defineConfig } from 'vitest/config';

/** What runs a whole chain, and looks afterwards whether anything of any run was left on this machine. */
const RUNS = [
  'src/cli.test.ts',
  'src/examples.test.ts',
  'src/whole-chain.test.ts',
  'src/targets/cluster/tekton/tekton-run.test.ts',
];

const { test } = testConfig;
const exclude = [...configDefaults.exclude, ...RUNS];

export default defineConfig({
  test: {
    projects: [
      { test: { ...test, name: 'runs', include: RUNS, fileParallelism: false, sequence: { groupOrder: 0 } } },
      { test: { ...test, name: 'parts', exclude, sequence: { groupOrder: 1 } } },
    ],
  },
});
