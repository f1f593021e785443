import { basename, dirname } from 'node:path';
import { type Problem, problemsError, TektonLocalError, throwProblems } from '../errors.ts';
import { Field } from './field.ts';
import type { GivenTask, Pipeline, PipelineRun, PipelineTask, ResolvedRun, Task, TaskImplementation } from './model.ts';
import { checkHead, parsePipeline, parsePipelineRun, splitAnnotation } from './parse-pipeline.ts';
import { parseTaskSpec } from './parse-task.ts';
import { type Checkout, loadDocuments, type VariableLookup, yamlFilesBelow } from './yaml-file.ts';

interface Sources {
  checkout: Checkout;
  lookup: VariableLookup;
  problems: Problem[];
  /** For tasks of bundles, from the caller. */
  given: Readonly<Record<string, GivenTask>>;
  /** Those of them that were read. */
  read: Map<string, Task>;
  /** Documents of `.tekton/`, read when something is not found elsewhere. */
  tekton?: Field[];
}

/** What a PipelineRun is, and where what it names is looked for. */
export interface ResolveOptions {
  root: Checkout;
  /** The PipelineRun's, in `root`. */
  file: string;
  /** Of the PipelineRun in the file: `metadata.name` or `generateName`; where there are several. */
  name?: string | undefined;
  /** `{{ variables }}`. */
  variables: Readonly<Record<string, string>>;
  /** What `{{ … }}` stands for, in place of the variables alone. */
  lookup?: VariableLookup | undefined;
  /** The name that `{{ git_auth_secret }}` stands for. */
  authSecret: string;
  /** For tasks of bundles, by the task's name in the bundle. */
  tasks: Readonly<Record<string, GivenTask>>;
}

const ANNOTATION = 'pipelinesascode.tekton.dev/';

/**
 * Reads a PipelineRun file and looks up its Pipeline and Tasks as Pipelines as Code does: by the PipelineRun's
 * annotations, then the Pipeline's, then in `.tekton/`.
 */
export function resolveRun({ root, file, name, authSecret, tasks: given, ...options }: ResolveOptions): ResolvedRun {
  const problems: Problem[] = [];
  const lookup = options.lookup ?? lookupIn(options.variables);
  const sources: Sources = { checkout: root, lookup, problems, given, read: new Map() };
  const documents = loadDocuments(root, file, problems, lookup);
  throwProblems(problems);
  const document = chooseRun(documents, file, name);
  const run = parsePipelineRun(document, authSecret);
  const pipeline = findPipeline(run, documents, sources);
  // Without its Pipeline, nothing more can be said about it.
  if (pipeline.tasks.length === 0) throwProblems(problems);
  const tasks = new Map<string, Task>();
  for (const field of documents) addTask(tasks, field);
  for (const path of [...annotatedTaskFiles(run), ...pipeline.taskFiles]) {
    for (const field of loadLocal(run.field, path, sources)) addTask(tasks, field);
  }
  const implementations = new Map<string, TaskImplementation>();
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = findTask(task, tasks, sources);
    if (implementation !== undefined) implementations.set(task.name, implementation);
  }
  return { run, pipeline, implementations, problems };
}

/** What variables say, and nothing else. */
function lookupIn(variables: Readonly<Record<string, string>>): VariableLookup {
  return (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined);
}

/** Whether a document is what can be run. */
export function isRun(document: Field): boolean {
  return document.get('kind').value === 'PipelineRun';
}

/** The name that a PipelineRun goes by: without the dash at the end of a `generateName`. */
export function runName(document: Field): string {
  const { name, generateName } = {
    name: document.get('metadata', 'name'),
    generateName: document.get('metadata', 'generateName'),
  };
  return String(name.value ?? generateName.value ?? '').replace(/-$/, '');
}

function chooseRun(documents: readonly Field[], file: string, name: string | undefined): Field {
  const runs = documents.filter(isRun);
  const names = runs.map(runName);
  const [document, another] = runs.filter(
    (_run, index) => name === undefined || names[index] === name.replace(/-$/, ''),
  );
  if (another !== undefined && name === undefined) {
    throw new TektonLocalError('USAGE', `there are ${runs.length} PipelineRuns in ${file}`, {
      expected: 'the name of one of them',
      found: names.join(', '),
      hint: `--name ${names[0]}, or --event: what an event starts`,
    });
  }
  if (document !== undefined) return document;
  const message =
    name === undefined
      ? 'there is no PipelineRun in this file'
      : `there is no PipelineRun ${JSON.stringify(name)} in this file: ${names.join(', ') || 'none'}`;
  throw problemsError([{ code: 'NOT_FOUND', file, path: '', message }]);
}

/**
 * A PipelineRun file as Pipelines as Code hands it to a cluster: variables replaced, its Pipeline and Tasks inside. Tasks
 * of bundles stay references. Whether it can run, here or there, is not looked at.
 *
 * @param root The checkout folder, or the texts of its files by their paths.
 * @throws TektonLocalError for a file, a Pipeline, a Task or a variable that is not there, and for what is no YAML.
 */
export function resolvePipelineRun(
  root: Checkout,
  file: string,
  variables: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const resolved = resolveRun({ root, file, variables, authSecret: '', tasks: {} });
  const { run, pipeline, implementations, problems } = resolved;
  throwProblems(problems.filter(({ code }) => code === 'NOT_FOUND' || code === 'VARIABLE_UNKNOWN'));
  const embed = (task: PipelineTask): object => {
    const implementation = implementations.get(task.name);
    const { taskRef, ...own } = objectOf(task.field);
    return implementation !== undefined ? { ...own, taskSpec: implementation.task.field.value } : { ...own, taskRef };
  };
  const pipelineSpec = { ...objectOf(pipeline.field), tasks: pipeline.tasks.map(embed) };
  const last = pipeline.finally.length === 0 ? {} : { finally: pipeline.finally.map(embed) };
  const { pipelineRef: _, ...spec } = objectOf(run.field.get('spec'));
  return { ...objectOf(run.field), spec: { ...spec, pipelineSpec: { ...pipelineSpec, ...last } } };
}

function objectOf(field: Field): Record<string, unknown> {
  return Object.fromEntries(field.entries().map(([key, { value }]) => [key, value]));
}

/** The annotations `…/task-1`, `…/task-2` are how Pipelines as Code numbers more than one. */
function annotatedTaskFiles({ annotations }: PipelineRun): string[] {
  const numbered = Object.keys(annotations).filter((key) => /^pipelinesascode\.tekton\.dev\/task-\d+$/.test(key));
  return [...numbered, `${ANNOTATION}task`].flatMap((key) => splitAnnotation(annotations[key] ?? ''));
}

function findPipeline(run: PipelineRun, documents: Field[], sources: Sources): Pipeline {
  if (run.pipeline.kind === 'embedded') return run.pipeline.pipeline;
  const { name, field } = run.pipeline;
  const annotation = run.annotations[`${ANNOTATION}pipeline`];
  const isIt = (candidate: Field): boolean =>
    candidate.get('kind').value === 'Pipeline' && candidate.get('metadata', 'name').value === name;
  const annotated = splitAnnotation(annotation ?? '').flatMap((file) => loadLocal(run.field, file, sources));
  const found = annotated.find(isIt) ?? documents.find(isIt) ?? tektonDocuments(sources).find(isIt);
  if (found !== undefined) return parsePipeline(found);
  field.problem('NOT_FOUND', `there is no Pipeline ${JSON.stringify(name)} in ${annotation ?? '.tekton'}`);
  return { name, params: [], workspaces: [], tasks: [], finally: [], results: [], taskFiles: [], field };
}

function findTask(
  { reference }: PipelineTask,
  tasks: Map<string, Task>,
  sources: Sources,
): TaskImplementation | undefined {
  if (reference.kind === 'embedded') return { task: reference.task, embedded: true };
  const { name, field } = reference;
  if (reference.kind === 'bundle') {
    const given = Object.hasOwn(sources.given, name) ? sources.given[name] : undefined;
    if (given !== undefined) return { task: readGiven(name, given, sources), embedded: false, given };
    const known = Object.keys(sources.given).join(', ') || 'none';
    const missing = `no Task was given for the task ${JSON.stringify(name)} of ${reference.bundle}`;
    field.unsupported(`${missing}, and bundles are not fetched; given: ${known}`);
    return undefined;
  }
  if (!tasks.has(name)) for (const document of tektonDocuments(sources)) addTask(tasks, document);
  const task = tasks.get(name);
  if (task !== undefined) return { task, embedded: false };
  field.problem('NOT_FOUND', `there is no Task ${JSON.stringify(name)}; its file belongs in an annotation`);
  return undefined;
}

/** Reads a Task of the caller's; what is wrong with it is told like what is wrong in the files. */
function readGiven(name: string, { task }: GivenTask, { problems, read }: Sources): Task {
  const known = read.get(name);
  if (known !== undefined) return known;
  const origin = { file: `tasks[${JSON.stringify(name)}]`, problems, lineOf: () => undefined };
  const documents =
    typeof task === 'string' ? loadDocuments(dirname(task), basename(task), problems) : [new Field(task, origin)];
  const document = documents.find((entry) => entry.get('kind').value === 'Task') ?? new Field({}, origin);
  checkHead(document, 'Task');
  const parsed = parseTaskSpec(document.get('spec'), name);
  read.set(name, parsed);
  return parsed;
}

function addTask(tasks: Map<string, Task>, document: Field): void {
  if (document.get('kind').value !== 'Task') return;
  const name = document.get('metadata', 'name').requiredString();
  if (tasks.has(name)) return;
  checkHead(document, 'Task');
  tasks.set(name, parseTaskSpec(document.get('spec'), name));
}

function loadLocal(run: Field, file: string, { checkout, lookup, problems }: Sources): Field[] {
  if (!file.includes('://') && file.includes('/')) {
    return loadDocuments(checkout, file, problems, lookup);
  }
  run
    .get('metadata', 'annotations')
    .unsupported(`${JSON.stringify(file)} is not a path in the checkout folder, and nothing is fetched`);
  return [];
}

function tektonDocuments(sources: Sources): Field[] {
  const { checkout, lookup, problems } = sources;
  // A PipelineRun beside this one may use variables that only another event has: its problems are not ours.
  sources.tekton ??= yamlFilesBelow(checkout, '.tekton')
    .flatMap((file) => loadDocuments(checkout, file, [], lookup))
    .map((document) => document.withProblems(problems));
  return sources.tekton;
}
