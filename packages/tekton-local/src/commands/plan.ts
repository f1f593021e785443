import { EXIT } from '@multi-image/kit/command-line';
import { printable, printableJson } from '@multi-image/kit/terminal';
import { TektonLocalError } from '../errors.ts';
import type { PipelineTask, TaskImplementation } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { planRun } from '../plan-run.ts';
import { COMMON, EVENT, GIVEN, givenOptions, isJson, parseOptions } from './options.ts';
import { whichRuns } from './which-runs.ts';

export const USAGE = `tekton-local plan [FILE|FOLDER]… [options]  what a run would do; starts nothing

  -o json                  as JSON
  Otherwise what tekton-local run takes: the event, --name, --param, --workspace, --task, --resolve, --skip, --result.

Exit code: 0 where Tekton would take it and it can run here, else 2; with -o json what is wrong is JSON, too.
`;

const OPTIONS = { ...COMMON, ...EVENT, ...GIVEN, output: { type: 'string', short: 'o' } } as const;

/** Shows what each run would do. Whatever can't run is thrown. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const json = isJson(values.output);
  const { root, runs, beside, variables, lookup, notes } = await whichRuns(positionals, values);
  const plans: PlanView[] = [];
  try {
    for (const { file, name } of runs) {
      plans.push(viewOf(file, await planRun({ root, file, name, beside, variables, lookup, ...givenOptions(values) })));
    }
  } catch (error) {
    // For programs as well, what is wrong has its place.
    if (!json || !(error instanceof TektonLocalError)) throw error;
    const { code, message, problems } = error;
    process.stdout.write(`${printableJson({ code, message, problems })}\n`);
    return EXIT.refused;
  }
  if (json) process.stdout.write(`${printableJson({ runs: plans, notes })}\n`);
  else process.stdout.write(`${printable([...notes, ...plans.map(textOf)].join('\n\n'), '\n')}\n`);
  return EXIT.done;
}

interface PlanView {
  name: string;
  file: string;
  params: Plan['params'];
  workspaces: Record<string, string>;
  tasks: TaskView[];
  notes: readonly string[];
}

interface TaskView {
  name: string;
  finally: boolean;
  after: readonly string[];
  /** Where its Task is from. */
  task: string;
  matrix: readonly string[];
  conditional: boolean;
  images: readonly string[];
}

function viewOf(file: string, { run, pipeline, implementations, dependencies, ...plan }: Plan): PlanView {
  const view = (task: PipelineTask): TaskView => {
    const implementation = implementations.get(task.name);
    return {
      name: task.name,
      finally: pipeline.finally.includes(task),
      after: dependencies.get(task.name)?.all ?? [],
      task: originOf(task, implementation),
      matrix: [...new Set([...task.matrix, ...task.include.flat()].map(({ name }) => name))],
      conditional: task.when.length > 0,
      images: [...new Set(implementation?.task.steps.map(({ image }) => image))],
    };
  };
  return {
    name: run.name,
    file,
    params: plan.params,
    workspaces: Object.fromEntries([...plan.workspaces].map(([name, { kind }]) => [name, kind])),
    tasks: [...pipeline.tasks, ...pipeline.finally].map(view),
    notes: plan.notes,
  };
}

function originOf({ reference, field }: PipelineTask, implementation: TaskImplementation | undefined): string {
  if (implementation?.skipped !== undefined) return 'not run, its results are given';
  if (reference.kind === 'embedded') {
    // As Pipelines as Code does with what a Pipeline names.
    const { file } = reference.task.field.origin;
    return file === field.origin.file ? 'embedded' : `embedded, from ${file}`;
  }
  const name = implementation?.task.name ?? '';
  const given = implementation?.given?.task;
  if (typeof given === 'string') return `${name} of ${given}`;
  return given === undefined ? `${name} of ${implementation?.task.field.origin.file}` : `${name}, given`;
}

function textOf({ name, file, tasks, notes, params }: PlanView): string {
  const width = Math.max(...tasks.map((task) => task.name.length));
  const lines = tasks.map((task) => {
    const words = [
      task.finally ? 'finally' : '',
      task.conditional ? 'conditional' : '',
      task.matrix.length > 0 ? `for each ${task.matrix.join(', ')}` : '',
      task.after.length > 0 ? `after ${task.after.join(', ')}` : '',
    ];
    return `  ${task.name.padEnd(width)}  ${[task.task, ...words].filter((word) => word !== '').join('; ')}`;
  });
  const given = Object.entries(params).map(
    ([key, value]) => `  ${key} = ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = `${name} (${file})`;
  return [
    head,
    ...lines,
    ...(given.length > 0 ? ['params', ...given] : []),
    ...notes.map((note) => `note: ${note}`),
  ].join('\n');
}
