import { KONFLUX } from '@multi-image/kit/konflux';
import { type Evidence, failed, passed, skipped } from '../../../judge/criterion.ts';
import type { ObservedImage } from '../../../judge/observation.ts';
import { instead } from '../cluster-error.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { shown, waitFor } from '../follow.ts';
import { condition, KINDS, OPTIONAL_KINDS, type Resource, text } from '../resource.ts';
import { componentsOf } from '../runs.ts';
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
  /** For each ReleasePlan that takes the Snapshot by itself; undefined where they may not be looked at. */
  readonly releases: readonly ReleaseFacts[] | undefined;
}

export interface ReleaseFacts {
  readonly plan: string;
  /** Undefined: there was none in time. */
  readonly name: string | undefined;
  /** `none`: Konflux has made its Releases of the Snapshot, and none by this plan. */
  readonly status: 'Released' | 'Failed' | 'under way' | 'none';
  readonly message: string;
}

/**
 * Waits for what Konflux does with the chain once all its components are built: its Snapshot, the test of that, and where
 * there is a ReleasePlan its Release.
 */
export async function awaitChain(run: ClusterRun, revision: string): Promise<ChainOutcome> {
  const { cluster, config, namespace, timeouts, progress, signal } = run;
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
  const plans = isPassed(test) ? await autoReleasePlans(run) : [];
  const releases = plans && plans.length > 0 ? await awaitReleases(run, plans, found.name) : plans && [];
  signal.throwIfAborted();
  return { snapshot: found, refused: undefined, test, scenario: names.gate, releases };

  /** The plans of the application that may release by themselves: by an expression, or else unless the label forbids it. */
  async function autoReleasePlans({ cluster }: ClusterRun): Promise<readonly string[] | undefined> {
    const listed = await cluster
      .list(OPTIONAL_KINDS.releasePlan, namespace)
      .catch(instead('CLUSTER_FORBIDDEN', undefined))
      .catch(instead('KIND_MISSING', { items: [] }));
    return listed?.items
      .filter((plan) => text(plan, 'spec', 'application') === chain.application)
      .filter(({ metadata: { annotations, labels } }) => {
        const { autoRelease } = KONFLUX;
        return annotations?.[autoRelease] !== undefined || labels?.[autoRelease] !== 'false';
      })
      .map(({ metadata }) => metadata.name);
  }
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

/** Konflux makes the Releases of a Snapshot at once, and says so then: also where it makes none. */
async function awaitReleases(
  run: ClusterRun,
  plans: readonly string[],
  snapshot: string,
): Promise<readonly ReleaseFacts[]> {
  const { cluster, namespace, progress, timeouts } = run;
  let trouble = 'no Release in time';
  const said = await waitFor(cluster, KINDS.snapshot, {
    ...run,
    timeout: timeouts.released,
    look(object) {
      if (object.metadata.name !== snapshot) return undefined;
      if (object.metadata.labels?.[KONFLUX.autoRelease] === 'false')
        return 'it is held back, since a later one overtook it';
      const status = condition(object, 'AppStudioIntegrationStatus');
      // It tries again for a while.
      if (status?.reason === 'ErrorOccured') trouble = status.message;
      const decided = condition(object, 'AutoReleased');
      return decided?.status === 'True' ? decided.message : undefined;
    },
  });
  const made = said === undefined ? [] : (await cluster.list(OPTIONAL_KINDS.release, namespace)).items;
  return Promise.all(
    plans.map((plan): ReleaseFacts | Promise<ReleaseFacts> => {
      if (said === undefined) return { plan, name: undefined, status: 'under way', message: trouble };
      const isMade = made.some((object) => isRelease(object, plan, snapshot));
      if (!isMade) return { plan, name: undefined, status: 'none', message: said };
      return shown(progress, `Release by ${plan}`, awaitRelease(run, plan, snapshot), isReleased);
    }),
  );
}

const isReleased = ({ status }: ReleaseFacts): boolean => status === 'Released';

function isRelease(object: object, plan: string, snapshot: string): boolean {
  return text(object, 'spec', 'snapshot') === snapshot && text(object, 'spec', 'releasePlan') === plan;
}

async function awaitRelease(run: ClusterRun, plan: string, snapshot: string): Promise<ReleaseFacts> {
  const { cluster, timeouts } = run;
  let last: ReleaseFacts = { plan, name: undefined, status: 'under way', message: 'no Release in time' };
  const end = await waitFor(cluster, OPTIONAL_KINDS.release, {
    ...run,
    timeout: timeouts.released,
    look(object) {
      if (!isRelease(object, plan, snapshot)) return undefined;
      const { status, reason, message } = condition(object, 'Released') ?? { status: '', reason: '', message: '' };
      const said = message === '' ? reason : message;
      last = { plan, name: object.metadata.name, status: 'under way', message: said };
      if (status === 'True') return { ...last, status: 'Released' as const };
      return status === 'False' && reason !== 'Progressing' ? { ...last, status: 'Failed' as const } : undefined;
    },
  });
  return end ?? last;
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
    'scanned-and-signed': [testEvidence(tested, test), ...releaseEvidence(releases, snapshot.name, isPassed(test))],
  };
}

function releaseEvidence(releases: ChainOutcome['releases'], snapshot: string, isTested: boolean): readonly Evidence[] {
  if (!isTested) return [];
  if (releases === undefined) return [skipped('release', 'you may not list ReleasePlans here')];
  if (releases.length === 0) {
    return [
      passed('release', `no ReleasePlan of the application releases by itself: ${snapshot} is tested, and stays`),
    ];
  }
  return releases.map(({ plan, name, status, message }) => {
    const what = `ReleasePlan ${plan} released Snapshot ${snapshot}`;
    if (status === 'Released') return passed('release', `${what} as ${name}`);
    if (status === 'none')
      return passed('release', `ReleasePlan ${plan} made no Release of Snapshot ${snapshot}: ${message}`);
    return failed(
      'release',
      what,
      'a Release that is Released',
      name === undefined ? message : `${name}: ${status}: ${message}`,
    );
  });
}
