import { KONFLUX } from '@multi-image/kit/konflux';
import { type Evidence, failed, passed } from '../../../judge/criterion.ts';
import { waitFor } from '../api/follow.ts';
import { condition, KINDS, list, type Resource, text } from '../api/resource.ts';
import type { ClusterRun } from '../cluster-run.ts';

export interface SnapshotFacts {
  readonly name: string;
  /** The images in it, by component. */
  readonly images: Readonly<Record<string, string>>;
}

/** What came of an integration test. */
export interface TestResult {
  readonly scenario: string;
  /** `TestPassed`, or another one. */
  readonly status: string;
  readonly details: string;
}

/** By component what a Snapshot has of it: its image, or what `read` finds in its entry. */
export function imagesOf(
  snapshot: Resource,
  read: (entry: unknown) => string | undefined = (entry) => text(entry, 'containerImage'),
): Record<string, string> {
  const components = list(snapshot, 'spec', 'components');
  return Object.fromEntries(components.map((entry) => [text(entry, 'name') ?? '', read(entry) ?? '']));
}

const UNDER_WAY: ReadonlySet<string> = new Set(['', 'Pending', 'InProgress', 'BuildPLRInProgress']);

export function isOver({ status }: TestResult): boolean {
  return !UNDER_WAY.has(status);
}

export function isPassed(result: TestResult | undefined): boolean {
  return result?.status === 'TestPassed';
}

/** What came of an integration test, as evidence. */
export function testEvidence(what: string, result: TestResult | undefined): Evidence {
  if (isPassed(result)) return passed('integration-test', `${what}: TestPassed`);
  const found = result === undefined ? 'no result in time' : `${result.status}: ${result.details}`;
  return failed('integration-test', what, 'TestPassed', found);
}

/** That a Snapshot has this image of a component. */
export function imageEvidence(
  check: string,
  what: string,
  { images }: SnapshotFacts,
  component: string,
  digest: string | undefined,
): Evidence {
  const found = images[component];
  if (digest !== undefined && found?.endsWith(`@${digest}`)) return passed(check, `${what}: ${digest}`);
  return failed(check, what, digest ?? 'a digest (none was published)', found ?? 'no such component');
}

/** Waits for the outcome of a required scenario on a Snapshot; undefined where none came in time. */
export function waitTest(run: ClusterRun, snapshot: string, scenario: string): Promise<TestResult | undefined> {
  return waitFor(run.cluster, KINDS.snapshot, {
    ...run,
    timeout: run.timeouts.tests,
    look(object) {
      if (object.metadata.name !== snapshot) return undefined;
      const result = testResults(object).find((each) => each.scenario === scenario);
      return result === undefined || isOver(result) ? result : unsaid(object, result);
    },
  });
}

/** Of a run that fails at once the service may write last that it began: then only the Snapshot's conditions tell. */
function unsaid(snapshot: Resource, result: TestResult): TestResult | undefined {
  const tested = condition(snapshot, 'AppStudioTestSucceeded');
  const isFinished = condition(snapshot, 'AppStudioIntegrationStatus')?.reason === 'Finished';
  if (!isFinished || tested?.status !== 'False') return undefined;
  return { ...result, status: 'TestFail', details: `${tested.message}; of this one it says: ${result.details}` };
}

/** The integration service's annotation: a JSON list with an entry for each scenario. */
export function testResults(snapshot: Resource): TestResult[] {
  try {
    const parsed: unknown = JSON.parse(snapshot.metadata.annotations?.[KONFLUX.testStatus] ?? '[]');
    return (Array.isArray(parsed) ? parsed : []).map((entry) => ({
      scenario: text(entry, 'scenario') ?? '',
      status: text(entry, 'status') ?? '',
      details: text(entry, 'details') ?? '',
    }));
  } catch {
    return [];
  }
}
