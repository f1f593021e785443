import { TektonLocalError } from '../errors.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { resolveRun } from '../plan/resolve.ts';
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
  /no volume|is no name of a variable|no absolute path|leads out of|is no name: letters a-z, digits and -$|Tekton's own$/;

/** Asks both about a file with one run and what belongs to it. */
export async function compare(judge: Judge, yaml: string, how: NonNullable<Question['run']> = {}): Promise<Comparison> {
  const said = await judge.ask({ yaml, run: how });
  if (said.failure !== undefined) return { verdict: 'different', taken: false, why: [`the judge: ${said.failure}`] };
  const refused = said.documents.flatMap(({ errors = [] }) => errors);
  const failed = refused.length > 0 ? [] : failuresOf(said);
  const taken = refused.length === 0 && failed.length === 0;
  let plan: Plan;
  try {
    const first =
      said.documents.find(({ kind }) => kind === 'PipelineRun') ??
      said.documents.find(({ kind }) => kind === 'TaskRun');
    plan = planOf(yaml, first?.name.replace(/abcde$/, ''));
  } catch (error) {
    if (!(error instanceof TektonLocalError)) throw error;
    const problems =
      error.problems.length === 0 ? [{ code: error.code, message: error.message, path: '' }] : error.problems;
    const lines = problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
    if (!taken) return { verdict: 'same', taken, why: lines };
    const isLimit = problems.every(({ code, message }) => code === 'UNSUPPORTED' || OF_PODS.test(message));
    return { verdict: isLimit ? 'limit' : 'different', taken, why: lines };
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

/** Why Tekton gives up a run that it has taken, before any of its steps. */
function failuresOf({ run }: Judgement): string[] {
  // A result that is not there is only known at the end.
  const own =
    run?.status === 'False' && !/^(?:Failed|Completed|Succeeded|Cancelled|CouldntGetPipelineResult)$/.test(run.reason);
  return [
    ...(own ? [`${run.reason}: ${run.message}`] : []),
    ...(run?.status === 'Unknown' ? [run.message] : []),
    ...(run?.taskRuns ?? []).flatMap(({ name, reason, message }) =>
      reason === undefined ? [] : [`${name}: ${reason}: ${message}`],
    ),
  ];
}

function differences(mine: Judgement['run'], tektons: NonNullable<Judgement['run']>): string[] {
  const found: string[] = [];
  const same = (what: string, own: unknown, other: unknown): void => {
    const [a, b] = [JSON.stringify(sorted(own)), JSON.stringify(sorted(other))];
    if (a !== b) found.push(`${what}: ${a}, and Tekton: ${b}`);
  };
  if (tektons.status !== '') {
    same('status', mine?.status, tektons.status);
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
    same(`params of ${other.name}`, run.params, other.params);
    same(`steps of ${other.name}`, stepsOf(run), stepsOf(other, true));
  }
  return found;
}

const byName = (list: { name: string; value: unknown }[] = []): Record<string, unknown> =>
  Object.fromEntries(list.map(({ name, value }) => [name, value]));

function stepsOf({ steps = [] }: JudgedTaskRun, isTektons = false): object[] {
  // It replaces this after it has written down what it was going to run.
  const seen = (
    isTektons ? JSON.parse(JSON.stringify(steps).replaceAll('$(credentials.path)', '/tekton/creds')) : steps
  ) as JudgedStep[];
  return seen.map((step, index) => ({
    ...step,
    name: step.name || `unnamed-${index}`,
    command: step.command ?? [],
    args: step.args ?? [],
    script: step.script ?? '',
    workingDir: step.workingDir ?? '',
    onError: step.onError === 'stopAndFail' ? '' : (step.onError ?? ''),
    env: Object.fromEntries(Object.entries(step.env ?? {}).map(([key, value]) => [key, withoutVolume(value)])),
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
