import { KONFLUX } from '@multi-image/kit/konflux';
import { type Evidence, failed, skipped } from '../../../judge/criterion.ts';
import type { ObservedImage } from '../../../judge/observation.ts';
import { shown, waitFor } from '../api/follow.ts';
import { KINDS, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { componentsOf } from '../runs.ts';
import { awaitReleases } from './releases.ts';
import {
  imageEvidence,
  imagesOf,
  isOver,
  isPassed,
  type SnapshotFacts,
  type TestResult,
  testEvidence,
  testResults,
  waitTest,
} from './snapshots.ts';

/** What came of the whole chain; undefined is what did not come in time. */
export interface ChainOutcome {
  readonly snapshot: SnapshotFacts | undefined;
  /** Of the scenario that makes the Snapshot, where it failed and none came. */
  readonly refused: TestResult | undefined;
  /** Of the scenario that a release waits for. */
  readonly test: TestResult | undefined;
  readonly scenario: string;
  /** What came of its Releases, once it is tested. */
  readonly releases: readonly Evidence[];
}

/**
 * Waits for what Konflux does with the chain once all its components are built: its Snapshot, the test of that, and where
 * there is a ReleasePlan its Release.
 */
export async function awaitChain(run: ClusterRun, revision: string): Promise<ChainOutcome> {
  const { cluster, config, timeouts, progress, signal } = run;
  const { chain } = config;
  const [component = ''] = componentsOf(chain).map((each) => each.component);
  const names = { gate: `verify-${component}`, maker: `release-${component}` };
  const made = waitFor(cluster, KINDS.snapshot, {
    ...run,
    selector: `${KONFLUX.application}=${chain.application}`,
    timeout: timeouts.snapshot,
    look(object): SnapshotFacts | TestResult | undefined {
      if (isOfChain(object, run, component, revision)) return { name: object.metadata.name, images: imagesOf(object) };
      const result = testResults(object).find(({ scenario }) => scenario === names.maker);
      const isOwn = revisions(object, run).includes(revision);
      return result !== undefined && isOwn && isOver(result) && !isPassed(result) ? result : undefined;
    },
  });
  const found = await shown(
    progress,
    "the chain's Snapshot",
    made,
    (value) => value !== undefined && 'images' in value,
  );
  if (found === undefined || !('images' in found)) {
    return { snapshot: undefined, refused: found, test: undefined, scenario: names.gate, releases: [] };
  }
  const tested = waitTest(run, found.name, names.gate);
  const test = await shown(progress, `the chain's Snapshot · ${names.gate}`, tested, isPassed);
  const releases = isPassed(test) ? await awaitReleases(run, found.name) : [];
  signal.throwIfAborted();
  return { snapshot: found, refused: undefined, test, scenario: names.gate, releases };
}

/** The chain's own Snapshot: all its components of this commit, and of no build by itself. */
function isOfChain(object: Resource, run: ClusterRun, chain: string, revision: string): boolean {
  const { labels = {} } = object.metadata;
  if (labels[KONFLUX.chain] !== chain || labels[KONFLUX.snapshotType] !== undefined) return false;
  return revisions(object, run).every((each) => each === revision);
}

function revisions(object: Resource, { config }: ClusterRun): readonly (string | undefined)[] {
  const found = imagesOf(object, (entry) => text(entry, 'source', 'git', 'revision'));
  return componentsOf(config.chain).map(({ component }) => found[component]);
}

/** The outcome as evidence, for the criteria that it belongs to. */
export function chainEvidence(
  outcome: ChainOutcome | undefined,
  run: ClusterRun,
  images: readonly ObservedImage[],
): Readonly<Record<'scanner-extracts' | 'scanned-and-signed', readonly Evidence[]>> {
  if (outcome === undefined) {
    const reason = "the chain's Snapshot is made once all components are built";
    return { 'scanner-extracts': [skipped('chain-snapshot', reason)], 'scanned-and-signed': [] };
  }
  const { snapshot, refused, test, scenario, releases } = outcome;
  if (snapshot === undefined) {
    const found = refused === undefined ? 'none in time' : `${refused.scenario}: ${refused.status}: ${refused.details}`;
    const what = 'a Snapshot of the whole chain was made: what is released';
    return { 'scanner-extracts': [failed('chain-snapshot', what, 'a Snapshot', found)], 'scanned-and-signed': [] };
  }
  const components = componentsOf(run.config.chain).map(({ component, role }): Evidence => {
    const digest = images.find((image) => image.role === role)?.published.digest;
    const what = `the chain's Snapshot ${snapshot.name} has ${component}`;
    return imageEvidence('chain-snapshot', what, snapshot, component, digest);
  });
  const tested = `integration test ${scenario} on the chain's Snapshot`;
  return {
    'scanner-extracts': components,
    'scanned-and-signed': [testEvidence(tested, test), ...releases],
  };
}
