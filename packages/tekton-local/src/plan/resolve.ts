import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, throwProblems } from '../errors.ts';
import type { StandIn } from '../stand-in.ts';
import type { Field } from './field.ts';
import type { Pipeline, PipelineRun, PipelineTask, Task, TaskImplementation } from './model.ts';
import { checkHead, parsePipeline, parsePipelineRun, splitAnnotation } from './parse-pipeline.ts';
import { parseTaskSpec } from './parse-task.ts';
import { loadDocuments, type VariableLookup } from './yaml-file.ts';

/** A PipelineRun with everything that it names. */
export interface ResolvedRun {
  run: PipelineRun;
  pipeline: Pipeline;
  /** What each task of the pipeline runs, by the task's name. */
  implementations: ReadonlyMap<string, TaskImplementation>;
  problems: Problem[];
}

interface Sources {
  root: string;
  lookup: VariableLookup;
  problems: Problem[];
  /** Documents of `.tekton/`, read when something is not found elsewhere. */
  tekton?: Field[];
}

const ANNOTATION = 'pipelinesascode.tekton.dev/';

/**
 * Reads a PipelineRun file and looks up its Pipeline and Tasks as Pipelines as Code does: by the PipelineRun's
 * annotations, then the Pipeline's, then in `.tekton/`.
 */
export function resolveRun(options: {
  root: string;
  file: string;
  variables: Readonly<Record<string, string>>;
  authSecret: string;
  standIns: readonly StandIn[];
}): ResolvedRun {
  const problems: Problem[] = [];
  const lookup: VariableLookup = (name) =>
    Object.hasOwn(options.variables, name) ? options.variables[name] : undefined;
  const sources: Sources = { root: options.root, lookup, problems };
  const documents = loadDocuments(options.root, options.file, problems, lookup);
  throwProblems(problems);
  const document = documents.find((candidate) => candidate.get('kind').value === 'PipelineRun');
  if (document === undefined) {
    problems.push({ code: 'NOT_FOUND', file: options.file, path: '', message: 'there is no PipelineRun in this file' });
    throwProblems(problems);
  }
  // The first throwProblems above left only defined documents.
  const run = parsePipelineRun(document as Field, options.authSecret);
  const pipeline = findPipeline(run, documents, sources);
  // Without its Pipeline, nothing more can be said about it.
  if (pipeline.tasks.length === 0) throwProblems(problems);
  const annotated = run.annotations[`${ANNOTATION}task`];
  const files = [...annotatedTaskFiles(run), ...(annotated === undefined ? [] : splitAnnotation(annotated))];
  const tasks = new Map<string, Task>();
  for (const field of documents) addTask(tasks, field);
  for (const file of [...files, ...pipeline.taskFiles]) {
    for (const field of loadLocal(run.field, file, sources)) addTask(tasks, field);
  }
  const implementations = new Map<string, TaskImplementation>();
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = findTask(task, tasks, sources, options.standIns);
    if (implementation !== undefined) implementations.set(task.name, implementation);
  }
  return { run, pipeline, implementations, problems };
}

/** `…/task-1`, `…/task-2`: how Pipelines as Code numbers further annotations. */
function annotatedTaskFiles(run: PipelineRun): string[] {
  return Object.entries(run.annotations)
    .filter(([key]) => /^pipelinesascode\.tekton\.dev\/task-\d+$/.test(key))
    .flatMap(([, value]) => splitAnnotation(value));
}

function findPipeline(run: PipelineRun, documents: Field[], sources: Sources): Pipeline {
  if (run.pipeline.kind === 'embedded') return run.pipeline.pipeline;
  const { name, field } = run.pipeline;
  const annotation = run.annotations[`${ANNOTATION}pipeline`];
  const isIt = (candidate: Field): boolean =>
    candidate.get('kind').value === 'Pipeline' && candidate.get('metadata').get('name').value === name;
  const annotated =
    annotation === undefined ? [] : splitAnnotation(annotation).flatMap((file) => loadLocal(run.field, file, sources));
  const found = annotated.find(isIt) ?? documents.find(isIt) ?? tektonDocuments(sources).find(isIt);
  if (found !== undefined) return parsePipeline(found);
  field.problem('NOT_FOUND', `there is no Pipeline ${JSON.stringify(name)} in ${annotation ?? '.tekton'}`);
  return { name, params: [], workspaces: [], tasks: [], finally: [], results: [], taskFiles: [], field };
}

function findTask(
  task: PipelineTask,
  tasks: Map<string, Task>,
  sources: Sources,
  standIns: readonly StandIn[],
): TaskImplementation | undefined {
  const { reference } = task;
  if (reference.kind === 'embedded') return { kind: 'task', task: reference.task, embedded: true };
  if (reference.kind === 'bundle') {
    const standIn = standIns.find((candidate) => candidate.task === reference.name);
    if (standIn !== undefined) return { kind: 'stand-in', standIn };
    const known = standIns.map((candidate) => candidate.task).join(', ');
    reference.field.problem(
      'UNSUPPORTED',
      `there is no stand-in for the task ${JSON.stringify(reference.name)} of ${reference.bundle}; there is one for ${known}`,
    );
    return undefined;
  }
  if (!tasks.has(reference.name)) for (const field of tektonDocuments(sources)) addTask(tasks, field);
  const found = tasks.get(reference.name);
  if (found !== undefined) return { kind: 'task', task: found, embedded: false };
  reference.field.problem(
    'NOT_FOUND',
    `there is no Task ${JSON.stringify(reference.name)}; its file belongs in an annotation`,
  );
  return undefined;
}

function addTask(tasks: Map<string, Task>, document: Field): void {
  if (document.get('kind').value !== 'Task') return;
  const name = document.get('metadata').get('name').requiredString();
  if (tasks.has(name)) return;
  checkHead(document, 'Task');
  tasks.set(name, parseTaskSpec(document.get('spec'), name));
}

function loadLocal(run: Field, file: string, sources: Sources): Field[] {
  const annotations = run.get('metadata').get('annotations');
  if (file.includes('://') || !file.includes('/')) {
    annotations.problem(
      'UNSUPPORTED',
      `${JSON.stringify(file)} is not a path in the checkout folder, and nothing is fetched`,
    );
    return [];
  }
  return loadDocuments(sources.root, file, sources.problems, file.startsWith('.tekton/') ? sources.lookup : undefined);
}

function tektonDocuments(sources: Sources): Field[] {
  if (sources.tekton !== undefined) return sources.tekton;
  const folder = join(sources.root, '.tekton');
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  sources.tekton = files
    .filter((file) => /\.ya?ml$/.test(file))
    .sort()
    // A PipelineRun beside this one may use variables that only another event has: its problems are not ours.
    .flatMap((file) => loadDocuments(sources.root, join('.tekton', file), [], sources.lookup))
    .map((document) => document.withProblems(sources.problems));
  return sources.tekton;
}
