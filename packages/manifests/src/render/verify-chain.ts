import { KONFLUX } from '@multi-image/kit/konflux';
import type { ChainPlan } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import type { YamlMap } from '../yaml/write.ts';
import { type DigestChainFrom, ownTask } from './own-tasks.ts';
import { type SnapshotTest, snapshotTask, snapshotTest } from './snapshot-test.ts';

const TEST: SnapshotTest = {
  name: 'verify-chain',
  description: 'Proves that the images of a chain in a Snapshot are of one build',
  verb: 'judge-snapshot',
  options: { release: "What is released of a push, as the config's release says", prefix: 'Prefix of the labels' },
  args: ['--type=env://TYPE', '--chain=env://CHAIN'],
  labels: { TYPE: KONFLUX.snapshotType, CHAIN: KONFLUX.chain },
};

/** The Pipeline of the required IntegrationTestScenario: proves the chain that a Snapshot holds, result TEST_OUTPUT. */
export function verifyChain(chain: ChainPlan, pins: Pins): YamlMap {
  const values = { release: chain.release, prefix: chain.labelPrefix };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: TEST.name },
    spec: snapshotTest(TEST, chain, pins, { values, bundled: true }),
  };
}

/** The Task that proves the chain of a Snapshot, for a bundle: whose digest-chain it runs, no commit decides. */
export function verifyChainTask(from: DigestChainFrom, pins: Pins): YamlMap {
  return ownTask(TEST.name, { description: TEST.description, ...snapshotTask(TEST, from, pins) });
}
