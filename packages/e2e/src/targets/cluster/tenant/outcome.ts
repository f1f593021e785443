import { KONFLUX } from '@multi-image/kit/konflux';
import { type Evidence, failed } from '../../../judge/criterion.ts';
import type { ObservedImage } from '../../../judge/observation.ts';
import { shown, waitFor } from '../api/follow.ts';
import { KINDS, list, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { componentsOf, konfluxLabels } from '../runs.ts';
import { awaitSigned, RUN_GONE, signedEvidence } from '../signed.ts';
import { desiredObjects } from './desired.ts';
import {
  imageEvidence,
  imagesOf,
  isPassed,
  type SnapshotFacts,
  type TestResult,
  testEvidence,
  waitTest,
} from './snapshots.ts';

export interface OutcomeOptions extends ClusterRun {
  /** The PipelineRuns' names by component, of those that succeeded. */
  runs: ReadonlyMap<string, string>;
  /** What Chains was seen to write already, by component: the runs may be pruned by now. */
  signed: Readonly<Record<string, string>> | undefined;
  /** Called where something is known that a resumed run must not lose. */
  onSigned: (component: string, value: string) => void;
}

/** What Konflux did after the run of a component; undefined is what it did not do in time. */
export interface Outcome {
  component: string;
  /** What Chains wrote on the run. */
  signed: string | undefined;
  snapshot: SnapshotFacts | undefined;
  /** Of one that has a Snapshot and a scenario: which, and what came of it. */
  test: { scenario: string; result: TestResult | undefined } | undefined;
}

/** Waits for what Konflux does after the builds: signatures, Snapshots, integration tests. What does not come is a result. */
export function awaitOutcome(options: OutcomeOptions): Promise<readonly Outcome[]> {
  const { runs, timeouts, config, signed: known, onSigned, progress } = options;
  const selector = konfluxLabels(config.chain.application).runs;
  return Promise.all(
    [...runs].map(async ([component, run]): Promise<Outcome> => {
      const signed = await awaitSigned(component, { ...options, known, selector, run, timeout: timeouts.signed });
      if (signed !== undefined) onSigned(component, signed);
      const made = waitSnapshot(options, run, signed === RUN_GONE);
      const snapshot = await shown(progress, `${component} · Snapshot`, made, Boolean);
      const scenario = scenarioOf(options, component);
      if (snapshot === undefined || scenario === undefined) return { component, signed, snapshot, test: undefined };
      const tested = waitTest(options, snapshot.name, scenario);
      const result = await shown(progress, `${component} · ${scenario}`, tested, isPassed);
      return { component, signed, snapshot, test: { scenario, result } };
    }),
  );
}

function waitSnapshot(options: OutcomeOptions, run: string, isGone: boolean): Promise<SnapshotFacts | undefined> {
  const { cluster, timeouts } = options;
  return waitFor(cluster, KINDS.snapshot, {
    ...options,
    selector: `${KONFLUX.buildPipelineRun}=${run}`,
    // From a run that is not there any more none is made: one that is there was made before.
    timeout: isGone ? Math.min(timeouts.snapshot, 60_000) : timeouts.snapshot,
    look: (object) => ({ name: object.metadata.name, images: imagesOf(object) }),
  });
}

/** The scenario that is required of a component's Snapshots. */
function scenarioOf({ config }: OutcomeOptions, component: string): string | undefined {
  const contexts = ['application', `component_${component}`];
  return desiredObjects(config).find(
    ({ kind, metadata, ...object }) =>
      kind === 'IntegrationTestScenario' &&
      metadata.labels?.[KONFLUX.optional] !== 'true' &&
      list(object, 'spec', 'contexts').some((entry) => contexts.includes(text(entry, 'name') ?? '')),
  )?.metadata.name;
}

/** The outcomes as evidence, for the criteria that they belong to. */
export function outcomeEvidence(
  outcomes: readonly Outcome[],
  { config }: ClusterRun,
  images: readonly ObservedImage[],
): Readonly<Record<'scanner-extracts' | 'scanned-and-signed', readonly Evidence[]>> {
  const components = componentsOf(config.chain);
  const builder = components[0]?.component ?? '';
  return {
    'scanner-extracts': outcomes.flatMap(snapshotEvidence),
    'scanned-and-signed': [
      ...outcomes.map(({ component, signed }) => signedEvidence(component, signed)),
      ...outcomes.flatMap(({ component, test }) => {
        if (test === undefined) return [];
        return [testEvidence(`integration test ${test.scenario} on the Snapshot of ${component}`, test.result)];
      }),
    ],
  };

  function snapshotEvidence({ component, snapshot }: Outcome): Evidence[] {
    if (snapshot === undefined) {
      return [failed('snapshot', `Konflux made a Snapshot from the run of ${component}`, 'a Snapshot', 'none in time')];
    }
    const own = named('its own image', snapshot, component);
    // It has the other images as they were last promoted. Where it is released, a scanner's has to be the consistent pair.
    const isPair = config.chain.release === 'components' && component !== builder;
    return !isPair ? [own] : [own, named('the image that links to it', snapshot, builder)];
  }

  function named(what: string, snapshot: SnapshotFacts, component: string): Evidence {
    const role = components.find((entry) => entry.component === component)?.role;
    const digest = images.find((image) => image.role === role)?.published.digest;
    return imageEvidence(
      'snapshot',
      `Snapshot ${snapshot.name} has ${what}, ${component}`,
      snapshot,
      component,
      digest,
    );
  }
}
