import type { Progress } from '@multi-image/kit/progress';
import type { ChainPlan, LoadedConfig } from '@multi-image/manifests';
import { type Evidence, failed, passed } from '../../../judge/criterion.ts';
import type { Cluster } from '../cluster.ts';
import { waitFor } from '../follow.ts';
import { KINDS, list, NAMES, type Resource, text } from '../resource.ts';
import { componentsOf, konfluxLabels } from '../runs.ts';
import { awaitSigned, RUN_GONE, signedEvidence } from '../signed.ts';
import { desiredObjects } from './desired.ts';

export interface OutcomeOptions {
  cluster: Cluster;
  config: LoadedConfig;
  namespace: string;
  /** The PipelineRuns' names by component, of those that succeeded. */
  runs: ReadonlyMap<string, string>;
  /** What Chains was seen to write already, by component: the runs may be pruned by now. */
  signed: Readonly<Record<string, string>>;
  /** Called where something is known that a resumed run must not lose. */
  onKnown: (known: { signed: Record<string, string> }) => void;
  /** Milliseconds. */
  timeouts: { signed: number; snapshot: number; tests: number };
  progress: Progress;
  signal: AbortSignal;
}

/** What Konflux made of a component's run. */
export interface SnapshotFacts {
  component: string;
  name: string;
  /** The images in it, by component. */
  images: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** What Chains wrote on each run, by component; undefined where it wrote nothing in time. */
  signed: ReadonlyMap<string, string | undefined>;
  snapshots: readonly SnapshotFacts[];
  /** The scenario of each scanner, by component: `TestPassed`, another status, or nothing in time. */
  tests: ReadonlyMap<string, { scenario: string; status: string | undefined; details: string }>;
}

/** Waits for what Konflux does after the builds: signatures, Snapshots, integration tests. What does not come is a result. */
export async function awaitOutcome(options: OutcomeOptions): Promise<Outcome> {
  const { runs, timeouts } = options;
  const selector = konfluxLabels(options.config.chain.application).runs;
  const signed = new Map<string, string | undefined>();
  const tests = new Map<string, { scenario: string; status: string | undefined; details: string }>();
  const snapshots: SnapshotFacts[] = [];
  await Promise.all(
    [...runs].map(async ([component, run]) => {
      const where = { ...options, selector, run, known: options.signed, timeout: timeouts.signed };
      signed.set(component, await awaitSigned(component, where));
      const written = [...signed].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
      options.onKnown({ signed: { ...options.signed, ...Object.fromEntries(written) } });
      const snapshot = await step(
        options,
        `${component} · Snapshot`,
        () => waitSnapshot(options, component, run, signed.get(component) === RUN_GONE),
        Boolean,
      );
      if (snapshot === undefined) return;
      snapshots.push(snapshot);
      const scenario = scenarioOf(options.config, component);
      if (scenario === undefined) return;
      const result = await step(
        options,
        `${component} · ${scenario}`,
        () => waitTest(options, snapshot.name, scenario),
        (value) => value?.status === 'TestPassed',
      );
      tests.set(component, { scenario, status: result?.status, details: result?.details ?? '' });
    }),
  );
  return { signed, snapshots, tests };
}

async function step<T>(
  { progress }: OutcomeOptions,
  name: string,
  wait: () => Promise<T>,
  good: (value: T) => boolean,
): Promise<T> {
  progress.started(name);
  const value = await wait();
  progress.ended(name, good(value) ? 'passed' : 'failed', value === undefined ? 'not in time' : '');
  return value;
}

function waitSnapshot(
  { cluster, namespace, timeouts, signal }: OutcomeOptions,
  component: string,
  run: string,
  isGone: boolean,
): Promise<SnapshotFacts | undefined> {
  return waitFor(cluster, KINDS.snapshot, {
    namespace,
    selector: `${NAMES.buildPipelineRun}=${run}`,
    // From a run that is not there any more none is made: one that is there was made before.
    timeout: isGone ? Math.min(timeouts.snapshot, 60_000) : timeouts.snapshot,
    signal,
    look: (object) => ({ component, name: object.metadata.name, images: imagesOf(object) }),
  });
}

function imagesOf(snapshot: Resource): Record<string, string> {
  return Object.fromEntries(
    list(snapshot, 'spec', 'components').map((entry) => [
      text(entry, 'name') ?? '',
      text(entry, 'containerImage') ?? '',
    ]),
  );
}

function waitTest({ cluster, namespace, timeouts, signal }: OutcomeOptions, snapshot: string, scenario: string) {
  return waitFor(cluster, KINDS.snapshot, {
    namespace,
    timeout: timeouts.tests,
    signal,
    look(object) {
      if (object.metadata.name !== snapshot) return undefined;
      const found = testResults(object).find((result) => result.scenario === scenario);
      return found === undefined || UNDER_WAY.has(found.status) ? undefined : found;
    },
  });
}

const UNDER_WAY: ReadonlySet<string> = new Set(['', 'Pending', 'InProgress', 'BuildPLRInProgress']);

/** The integration service's annotation: a JSON list with an entry for each scenario. */
function testResults(snapshot: Resource): { scenario: string; status: string; details: string }[] {
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

function scenarioOf(config: LoadedConfig, component: string): string | undefined {
  return desiredObjects(config).find(
    ({ kind, ...object }) =>
      kind === 'IntegrationTestScenario' &&
      list(object, 'spec', 'contexts').some((entry) => text(entry, 'name') === `component_${component}`),
  )?.metadata.name;
}

/** The outcome as evidence, for the criterion that it belongs to. */
export function outcomeEvidence(
  { signed, snapshots, tests }: Outcome,
  chain: ChainPlan,
  digests: ReadonlyMap<string, string | undefined>,
): Readonly<Record<'scanner-extracts' | 'scanned-and-signed', readonly Evidence[]>> {
  const scanners = componentsOf(chain).slice(1);
  return {
    'scanner-extracts': [...signed.keys()].flatMap((component) => snapshotEvidence(component)),
    'scanned-and-signed': [
      ...[...signed].map(([component, value]) => signedEvidence(component, value)),
      ...[...tests].map(([component, { scenario, status, details }]) => {
        const what = `integration test ${scenario} on the Snapshot of ${component}`;
        if (status === 'TestPassed') return passed('integration-test', `${what}: TestPassed`);
        return failed(
          'integration-test',
          what,
          'TestPassed',
          status === undefined ? 'no result in time' : `${status}: ${details}`,
        );
      }),
    ],
  };

  function snapshotEvidence(component: string): Evidence[] {
    const snapshot = snapshots.find((entry) => entry.component === component);
    const digest = digests.get(component);
    if (snapshot === undefined) {
      return [failed('snapshot', `Konflux made a Snapshot from the run of ${component}`, 'a Snapshot', 'none in time')];
    }
    const own = named('its own image', snapshot, component, digest);
    // Only a scanner's Snapshot is the consistent pair: the builder's has the other images of the build before.
    const isScanner = scanners.some((entry) => entry.component === component);
    const builder = componentsOf(chain)[0]?.component ?? '';
    return isScanner ? [own, named('the image that links to it', snapshot, builder, digests.get(builder))] : [own];
  }

  function named(what: string, snapshot: SnapshotFacts, component: string, digest: string | undefined): Evidence {
    const found = snapshot.images[component];
    const text = `Snapshot ${snapshot.name} has ${what}, ${component}`;
    if (digest !== undefined && found?.endsWith(`@${digest}`)) return passed('snapshot', `${text}: ${digest}`);
    return failed('snapshot', text, digest ?? 'a digest (none was published)', found ?? 'no such component');
  }
}
