import { TektonLocalError } from '../errors.ts';
import { isMatrix } from '../plan/combinations.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { resolveRun } from '../plan/resolve.ts';
import { loadDocuments } from '../plan/yaml-file.ts';
import type { Judge, JudgedStep, JudgedTaskRun, Judgement, Question } from './judge.ts';
import { simulate } from './simulate.ts';

/** How tekton-local and Tekton agree on a file. */
export interface Comparison {
  /**
   * `same`: both refuse, or both make the same of it. `limit`: tekton-local refuses what it can't run, by name. `different`:
   * neither, which is a fault.
   */
  verdict: 'same' | 'limit' | 'different';
  /** Whether Tekton takes it. */
  taken: boolean;
  /** What they differ in, or what the limits are. */
  why: string[];
}

const FILE = 'run.yaml';

/** What Kubernetes says of the Pods that Tekton makes, and so the judge does not see. */
const OF_PODS =
  /no volume|has two mounts at|no quantity of Kubernetes|is no name of a variable|no absolute path|leads out of|a whole number ≥ 0|is no name: letters a-z, digits and -$|Tekton's own$/;

/** What a run says of its tasks, whether or not they are started. */
const OF_SPECS = /^spec\.taskRunSpecs\[\d+\]\.(?:step|sidecar)Specs\b/;

/** Results that don't fit: there the whole run ends, here the task does, and finally tasks run (documented). */
const ENDS_THERE =
  /is out of bound of size |missing keys for these params |param types don't match the user-specified type/;

/** Asks both about a file with one run and what belongs to it. */
export async function compare(judge: Judge, yaml: string, how: NonNullable<Question['run']> = {}): Promise<Comparison> {
  const said = await judge.ask({ yaml, run: how });
  // Of a file without any, it says none.
  const documents = said.documents ?? [];
  // There are files of which Tekton's controller dies.
  const died = said.failure === undefined ? [] : [`the judge: ${said.failure}`];
  const refused = [...died, ...documents.flatMap(({ errors = [] }) => errors)];
  const failed = refused.length > 0 ? [] : failuresOf(said);
  const taken = refused.length === 0 && failed.length === 0;
  let plan: Plan;
  try {
    const runs = ['PipelineRun', 'TaskRun'].flatMap((wanted) => documents.filter(({ kind }) => kind === wanted));
    plan = planOf(yaml, runs.length > 1 ? runs[0]?.name.replace(/abcde$/, '') : undefined);
  } catch (error) {
    if (!(error instanceof TektonLocalError)) throw error;
    const problems =
      error.problems.length === 0 ? [{ code: error.code, message: error.message, path: '' }] : error.problems;
    const lines = problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
    if (!taken) return { verdict: 'same', taken, why: lines };
    // What Tekton does not start it does not look at; here it is checked before anything is known (documented).
    const started = new Set(said.run?.taskRuns?.map(({ task }) => task));
    const skipped = placesOf(yaml, (name) => !started.has(name));
    const isSkipped = (path: string): boolean =>
      skipped.some((place) => path === place || path.startsWith(`${place}.`));
    const isLimit = problems.every(
      ({ code, message, path }) =>
        code === 'UNSUPPORTED' ||
        OF_PODS.test(message) ||
        isSkipped(path) ||
        (skipped.length > 0 && OF_SPECS.test(path)),
    );
    return { verdict: isLimit ? 'limit' : 'different', taken, why: lines };
  }
  // What results decide is known to neither before the run: then both refuse the same TaskRuns.
  if (!taken && refused.length === 0) {
    const mine = await simulate(plan, how);
    if (isRefusedAlike(mine, said.run, failed)) return { verdict: 'same', taken, why: failed };
    if (said.run?.status === 'Unknown' && waitsThere(plan, mine)) {
      const why = differences(mine, { ...said.run, status: '' });
      return { verdict: why.length === 0 ? 'same' : 'different', taken, why };
    }
  }
  if (!taken)
    return {
      verdict: 'different',
      taken,
      why: [...refused, ...failed].map((line) => `accepted, and Tekton says: ${line}`),
    };
  const why = said.run === undefined ? [] : differences(await simulate(plan, how), said.run);
  return { verdict: why.length === 0 ? 'same' : 'different', taken, why };
}

/** Whether the failures are of TaskRuns alone, and tekton-local refuses those TaskRuns and no others as well. */
function isRefusedAlike(mine: Judgement['run'], tektons: Judgement['run'], failed: readonly string[]): boolean {
  const refused = (run: Judgement['run']): string[] =>
    (run?.taskRuns ?? []).flatMap(({ name, reason }) => (reason === undefined ? [] : [name])).sort();
  const [own, others] = [refused(mine), refused(tektons)];
  return others.length === failed.length && own.join(' ') === others.join(' ');
}

/** Whether a finally task is skipped for which Tekton waits until the run's time is over (documented). */
function waitsThere({ pipeline }: Plan, mine: Judgement['run']): boolean {
  return pipeline.finally.some((task) => isMatrix(task) && mine?.skipped?.[task.name] === 'Results were missing');
}

/** The plan of the first run of a text. */
export function planOf(yaml: string, name?: string): Plan {
  const resolved = resolveRun({
    root: new Map([[FILE, yaml]]),
    file: FILE,
    name,
    variables: {},
    authSecret: 'none',
    tasks: {},
  });
  return makePlan(resolved, {});
}

/** The paths of pipeline tasks. */
function placesOf(yaml: string, isWanted: (name: string) => boolean): string[] {
  const groups = loadDocuments(new Map([[FILE, yaml]]), FILE, []).flatMap((document) =>
    [['spec', 'pipelineSpec'], ['spec']].flatMap((base) =>
      ['tasks', 'finally'].map((group) => document.get(...base, group)),
    ),
  );
  return groups.flatMap((group) =>
    group.items().flatMap((task) => (isWanted(task.get('name').text()) ? [task.path] : [])),
  );
}

/** Why Tekton gives up a run that it has taken, before any of its steps. */
function failuresOf({ run }: Judgement): string[] {
  const own = run?.status === 'False' && !isOfResults(run);
  return [
    ...(own ? [`${run.reason}: ${run.message}`] : []),
    ...(run?.status === 'Unknown' ? [run.message] : []),
    ...(run?.taskRuns ?? []).flatMap(({ name, reason, message }) =>
      reason === undefined ? [] : [`${name}: ${reason}: ${message}`],
    ),
  ];
}

/** Whether a run failed for what only its TaskRuns decide. */
function isOfResults({ reason, message, taskRuns = [] }: NonNullable<Judgement['run']>): boolean {
  return (
    /^(?:Failed|Completed|Succeeded|Cancelled|CouldntGetPipelineResult)$/.test(reason) ||
    /Failed Validation: /.test(message) ||
    (taskRuns.length > 0 && ENDS_THERE.test(message))
  );
}

function differences(mine: Judgement['run'], tektons: NonNullable<Judgement['run']>): string[] {
  const found: string[] = [];
  const same = (what: string, own: unknown, other: unknown): void => {
    const [a, b] = [JSON.stringify(sorted(own)), JSON.stringify(sorted(other))];
    if (a !== b) found.push(`${what}: ${a}, and Tekton: ${b}`);
  };
  if (tektons.status !== '') same('status', mine?.status, tektons.status);
  if (ENDS_THERE.test(tektons.message)) return found;
  if (tektons.status !== '') {
    same('reason', mine?.reason, tektons.reason);
    same('message', mine?.message, tektons.message);
    same('results', byName(mine?.results), byName(tektons.results));
    same('skipped', mine?.skipped ?? {}, tektons.skipped ?? {});
  }
  const [own, others] = [mine?.taskRuns ?? [], tektons.taskRuns ?? []];
  same('TaskRuns', own.map(({ name }) => name).sort(), others.map(({ name }) => name).sort());
  for (const other of others) {
    const run = own.find(({ name }) => name === other.name);
    if (run === undefined) continue;
    same(`refusal of ${other.name}`, run.message, undefined);
    same(`params of ${other.name}`, run.params, other.params);
    same(`steps of ${other.name}`, stepsOf(run), stepsOf(other, true));
  }
  return found;
}

const byName = (list: { name: string; value: unknown }[] = []): Record<string, unknown> =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

function stepsOf({ steps = [] }: JudgedTaskRun, isTektons = false): object[] {
  // It replaces this after it has written down what it was going to run.
  const seen = JSON.parse(
    withoutVolume(
      JSON.stringify(steps).replaceAll('$(credentials.path)', isTektons ? '/tekton/creds' : '$(credentials.path)'),
    ),
  ) as JudgedStep[];
  return seen.map((step, index) => ({
    ...step,
    name: step.name || `unnamed-${index}`,
    command: step.command ?? [],
    args: step.args ?? [],
    script: step.script ?? '',
    workingDir: step.workingDir ?? '',
    onError: step.onError === 'stopAndFail' ? '' : (step.onError ?? ''),
    env: step.env ?? [],
  })) satisfies JudgedStep[];
}

/** Names of volumes are made up by either. */
function withoutVolume(text: string): string {
  return text.replace(/ws-[0-9a-z]+/g, 'ws-…');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
