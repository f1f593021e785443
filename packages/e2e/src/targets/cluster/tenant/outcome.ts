import { type Evidence, failed, passed } from '../../../judge/criterion.ts';
import type { ObservedImage } from '../../../judge/observation.ts';
import type { ClusterRun } from '../cluster-run.ts';
import { shown, waitFor } from '../follow.ts';
import { KINDS, list, NAMES, type Resource, text } from '../resource.ts';
import { componentsOf, konfluxLabels } from '../runs.ts';
import { awaitSigned, RUN_GONE, signedEvidence } from '../signed.ts';
import { desiredObjects } from './desired.ts';

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
  /** Of a scanner that has a Snapshot: the scenario, and what came of it. */
  test: { scenario: string; result: TestResult | undefined } | undefined;
}

export interface SnapshotFacts {
  name: string;
  /** The images in it, by component. */
  images: Readonly<Record<string, string>>;
}

interface TestResult {
  scenario: string;
  /** `TestPassed`, or another one. */
  status: string;
  details: string;
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
    selector: `${NAMES.buildPipelineRun}=${run}`,
    // From a run that is not there any more none is made: one that is there was made before.
    timeout: isGone ? Math.min(timeouts.snapshot, 60_000) : timeouts.snapshot,
    look: (object) => ({ name: object.metadata.name, images: imagesOf(object) }),
  });
}

function imagesOf(snapshot: Resource): Record<string, string> {
  const components = list(snapshot, 'spec', 'components');
  return Object.fromEntries(
    components.map((entry) => [text(entry, 'name') ?? '', text(entry, 'containerImage') ?? '']),
  );
}

const UNDER_WAY: ReadonlySet<string> = new Set(['', 'Pending', 'InProgress', 'BuildPLRInProgress']);

function waitTest(options: OutcomeOptions, snapshot: string, scenario: string): Promise<TestResult | undefined> {
  return waitFor(options.cluster, KINDS.snapshot, {
    ...options,
    timeout: options.timeouts.tests,
    look(object) {
      if (object.metadata.name !== snapshot) return undefined;
      return testResults(object).find((result) => result.scenario === scenario && !UNDER_WAY.has(result.status));
    },
  });
}

/** The integration service's annotation: a JSON list with an entry for each scenario. */
function testResults(snapshot: Resource): TestResult[] {
  try {
    const parsed: unknown = JSON.parse(snapshot.metadata.annotations?.[NAMES.testStatus] ?? '[]');
    return (Array.isArray(parsed) ? parsed : []).map((entry) => ({
      scenario: text(entry, 'scenario') ?? '',
      status: text(entry, 'status') ?? '',
      details: text(entry, 'details') ?? '',
    }));
  } catch {
    return [];
  }
}

function scenarioOf({ config }: OutcomeOptions, component: string): string | undefined {
  return desiredObjects(config).find(
    ({ kind, ...object }) =>
      kind === 'IntegrationTestScenario' &&
      list(object, 'spec', 'contexts').some((entry) => text(entry, 'name') === `component_${component}`),
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
      ...outcomes.flatMap(({ component, test }) => (test === undefined ? [] : [testEvidence(component, test)])),
    ],
  };

  function snapshotEvidence({ component, snapshot }: Outcome): Evidence[] {
    if (snapshot === undefined) {
      return [failed('snapshot', `Konflux made a Snapshot from the run of ${component}`, 'a Snapshot', 'none in time')];
    }
    const own = named('its own image', snapshot, component);
    // Only a scanner's Snapshot is the consistent pair: the builder's has the other images of the build before.
    return component === builder ? [own] : [own, named('the image that links to it', snapshot, builder)];
  }

  function named(what: string, snapshot: SnapshotFacts, component: string): Evidence {
    const role = components.find((entry) => entry.component === component)?.role;
    const digest = images.find((image) => image.role === role)?.published.digest;
    const found = snapshot.images[component];
    const text = `Snapshot ${snapshot.name} has ${what}, ${component}`;
    if (digest !== undefined && found?.endsWith(`@${digest}`)) return passed('snapshot', `${text}: ${digest}`);
    return failed('snapshot', text, digest ?? 'a digest (none was published)', found ?? 'no such component');
  }
}

function isPassed(result: TestResult | undefined): boolean {
  return result?.status === 'TestPassed';
}

function testEvidence(component: string, { scenario, result }: NonNullable<Outcome['test']>): Evidence {
  const what = `integration test ${scenario} on the Snapshot of ${component}`;
  if (isPassed(result)) return passed('integration-test', `${what}: TestPassed`);
  const found = result === undefined ? 'no result in time' : `${result.status}: ${result.details}`;
  return failed('integration-test', what, 'TestPassed', found);
}
