import { testConfig } from '@multi-image/testing/vitest-config';
import { defineConfig, mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What runs whole chains, the longest first: begun at the end, one of them would run while the other workers have nothing. */
const LONGEST = [
  'src/examples.test.ts',
  'src/cli.test.ts',
  'src/whole-chain.test.ts',
  'src/targets/cluster/tekton/tekton-run.test.ts',
  'src/targets/stand-ins-run.test.ts',
  'src/operators.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((file) => moduleId.endsWith(`/e2e/${file}`));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default mergeConfig(testConfig, defineConfig({ test: { sequence: { sequencer: LongestFirst } } }));
