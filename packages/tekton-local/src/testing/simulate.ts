import { type TaskOutcome, withoutSteps } from '../outcome.ts';
import { type CheckedTask, checkedTask } from '../plan/check-replaced.ts';
import { combinationsOf, isMatrix } from '../plan/combinations.ts';
import type { ParamValue, ResultSpec, Task } from '../plan/model.ts';
import { taskRunName } from '../plan/names.ts';
import type { Plan } from '../plan/plan.ts';
import { boundWorkspaces } from '../plan/task-paths.ts';
import { type Prepared, podOf, preparePipeline, taskRunPasses, withTaskContext } from '../plan/task-runs.ts';
import { isMap } from '../plan/yaml/field.ts';
import { combine, matrixLengths } from '../run/matrix.ts';
import { runName } from '../run/run.ts';
import { runOutcome, taskStatuses } from '../run/run-outcome.ts';
import { schedule } from '../run/schedule.ts';
import type { JudgedTaskRun, Judgement, Question } from './judge.ts';

/** What tekton-local makes of a plan, in the judge's words: every TaskRun ends as the question says, and no step runs. */
export async function simulate(plan: Plan, how: NonNullable<Question['run']>): Promise<Judgement['run']> {
  const name = runName(plan, 'abcde');
  const context = { name, namespace: plan.run.namespace, uid: `judge-${name}` };
  const outcomes = new Map<string, TaskOutcome>();
  const taskRuns: JudgedTaskRun[] = [];
  const one = (prepared: Prepared, given: Record<string, string>, index: number, count: number): TaskOutcome => {
    const { task } = prepared;
    const run = plan.run.isTaskRun ? name : taskRunName(name, task.name, index, count);
    const params = { ...Object.fromEntries(task.params.map((param) => [param.name, param.value])), ...given };
    const checked = checkedOf(plan, prepared, run, params);
    const said = { task: plan.run.isTaskRun ? '' : task.name, name: run, params };
    if (checked.problem !== undefined) {
      taskRuns.push({ ...said, reason: 'Failed', message: checked.problem });
      return withoutSteps(task.name, 'Failed', 'Failed', checked.problem);
    }
    taskRuns.push({ ...said, steps: stepsOf(checked.task) });
    const { fails = false, results: wanted } = how.tasks?.[task.name] ?? {};
    const results: Record<string, ParamValue> = {};
    for (const result of fails && wanted === undefined ? [] : prepared.spec.results) {
      const value = wanted === undefined ? ownValue(run, result) : (wanted[result.name] as ParamValue | undefined);
      if (value !== undefined) results[result.name] = value;
    }
    const status = fails ? 'Failed' : 'Succeeded';
    return {
      name: task.name,
      status,
      reason: status,
      message: 'as the script says',
      results,
      startedAt: 0,
      finishedAt: 0,
      steps: [],
    };
  };
  const all = preparePipeline(plan, context);
  const run = async (known: Prepared): Promise<TaskOutcome> => {
    const prepared = withTaskContext(known, matrixLengths(known.task, all, outcomes));
    if (!isMatrix(prepared.task)) return one(prepared, {}, 0, 1);
    const given = combinationsOf(prepared.task);
    return combine(
      prepared.task.name,
      given.map((each, index) => one(prepared, each, index, given.length)),
    );
  };
  for (const tasks of [plan.pipeline.tasks, plan.pipeline.finally]) {
    await schedule({
      plan,
      tasks,
      outcomes,
      prepared: all,
      statuses: tasks === plan.pipeline.tasks ? {} : taskStatuses(plan, outcomes),
      parallel: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
      run,
      ended: () => {},
    });
  }
  const ended = runOutcome(plan, outcomes, { name, startedAt: 0, stop: undefined });
  return {
    status: ended.status === 'Succeeded' ? 'True' : 'False',
    reason: ended.reason ?? '',
    message: ended.message ?? '',
    results: Object.entries(ended.results).map(([key, value]) => ({ name: key, value })),
    skipped: Object.fromEntries(
      ended.tasks.filter(({ status }) => status === 'Skipped').map((task) => [task.name, task.reason ?? '']),
    ),
    taskRuns,
  };
}

/** The Task of a TaskRun, or what is wrong with it. */
function checkedOf(plan: Plan, prepared: Prepared, run: string, params: Record<string, ParamValue>): CheckedTask {
  const { spec, embedded } = prepared;
  const context = {
    name: run,
    namespace: plan.run.namespace,
    uid: plan.run.isTaskRun ? `judge-${run}` : '',
    task: embedded ? run : spec.name,
    retry: 0,
  };
  const workspaces = boundWorkspaces(prepared, plan.workspaces, `judge-${runName(plan, 'abcde')}`);
  const { volumes } = podOf(plan.run, prepared.task.name);
  return checkedTask(taskRunPasses(spec, params, context), params, workspaces, { volumes });
}

function stepsOf({ steps }: Task): JudgedTaskRun['steps'] {
  return steps.map((step) => ({
    name: step.name,
    image: step.image,
    command: step.command,
    args: step.args,
    script: step.script,
    workingDir: step.workingDir,
    onError: step.onError,
    env: step.env.map(({ name, value }) => `${name}=${value}`),
  }));
}

/** As the judge makes up results: they say which TaskRun's they are. */
function ownValue(run: string, { name, type, field }: ResultSpec): ParamValue {
  const text = `${run}/${name}`;
  if (type === 'array') return [`${text}/0`, `${text}/1`, `${text}/2`];
  if (type === 'string') return text;
  const properties = field.get('properties').value;
  return Object.fromEntries(Object.keys(isMap(properties) ? properties : {}).map((key) => [key, `${text}/${key}`]));
}
