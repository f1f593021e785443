import { basename, dirname, posix } from 'node:path';
import { PAC } from '@multi-image/kit/tekton';
import { type Problem, problemsError, TektonLocalError, throwProblems } from '../errors.ts';
import { admit, type Kind } from './admit/admit.ts';
import { knownAlone, readObject } from './admit/document.ts';
import { isGenerateName, isName } from './admit/metadata.ts';
import { fileObjects } from './file-objects.ts';
import { inlined } from './inline.ts';
import type {
  FileObjects,
  GivenTask,
  ParamValue,
  Pipeline,
  PipelineRun,
  PipelineTask,
  ResolvedRun,
  Task,
  TaskImplementation,
} from './model.ts';
import { parsePipeline, parsePipelineRun, splitAnnotation, stringMap } from './parse/pipeline.ts';
import { parseTaskSpec } from './parse/task.ts';
import { parseTaskRun } from './parse/task-run.ts';
import { Variables } from './replace/variables.ts';
import { annotatedRemote, type Remote, type RemoteKind, remoteOf, replacementOf } from './replacements.ts';
import { withStepActions } from './step-actions.ts';
import { parseParamValue, typeOf } from './values.ts';
import { Field } from './yaml/field.ts';
import { type Checkout, isThere, loadDocuments, type VariableLookup, yamlFilesBelow } from './yaml-file.ts';

interface Sources {
  checkout: Checkout;
  lookup: VariableLookup;
  problems: Problem[];
  notes: string[];
  /** For tasks of bundles, from the caller. */
  given: Readonly<Record<string, GivenTask>>;
  /** Those of them that were read. */
  read: Map<string, Task>;
  /** Tasks of files that were read: a Task that nothing refers to may have what this machine can't do. */
  parsed: Map<Field, Task>;
  replacements: Readonly<Record<string, string>>;
  skip: Readonly<Record<string, Readonly<Record<string, ParamValue>>>>;
  /** What params of resolvers may refer to: params of the run, and the defaults of the others. */
  variables: Variables;
  /** What annotations name and nothing stands for: what is not found may be there. */
  missing: Remote[];
  /** Of the files that were named. */
  documents: readonly Field[];
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
  /** The run itself, in place of one in the file. */
  run?: object | undefined;
  /** Further files whose Pipelines and Tasks are found by name. */
  beside?: readonly string[] | undefined;
  /** Of a TaskRun: the params that are given beside its own. */
  overrides?: Readonly<Record<string, ParamValue>> | undefined;
  /** `{{ variables }}`. */
  variables: Readonly<Record<string, string>>;
  /** What `{{ … }}` stands for, in place of the variables alone. */
  lookup?: VariableLookup | undefined;
  /** Whether a variable without a value ends it at once, since it will be tried again with more of them. */
  mayAskAgain?: boolean | undefined;
  /** The name that `{{ git_auth_secret }}` stands for. */
  authSecret: string;
  /** For tasks of bundles, by the task's name in the bundle. */
  tasks: Readonly<Record<string, GivenTask>>;
  /** Files and folders in place of what would be fetched, by its address, the start of it, or its resolver. */
  replacements?: Readonly<Record<string, string>> | undefined;
  /** Results of tasks that are not run, by the task's name in the pipeline or in the bundle. */
  skip?: Readonly<Record<string, Readonly<Record<string, ParamValue>>>> | undefined;
}

/** Where what is referred to by name is looked for. */
const NAMED_PLACES = 'the files that are named, in .tekton or in an annotation';

/**
 * Reads a PipelineRun file and looks up its Pipeline and Tasks as Pipelines as Code does: by the PipelineRun's
 * annotations, then the Pipeline's, then in `.tekton/`.
 */
export function resolveRun({
  root,
  file,
  name,
  authSecret,
  tasks: given,
  replacements = {},
  skip = {},
  beside = [],
  overrides = {},
  mayAskAgain = false,
  ...options
}: ResolveOptions): ResolvedRun {
  const problems: Problem[] = [];
  const lookup = options.lookup ?? lookupIn(options.variables);
  const notes: string[] = [];
  const sources: Sources = {
    checkout: root,
    lookup,
    problems,
    notes,
    given,
    read: new Map(),
    parsed: new Map(),
    replacements,
    skip,
    variables: new Variables(),
    missing: [],
    documents: [],
  };
  const files = [...new Set([file, ...beside])];
  // A file beside it may use what only another event has: its problems are not this run's.
  const documents = files.flatMap((each) =>
    loadDocuments(root, each, each === file ? problems : [], lookup, notes).map((document) =>
      document.withProblems(problems),
    ),
  );
  // Where nothing can be run, they are why.
  if (mayAskAgain || !documents.some(isRun)) throwProblems(problems);
  sources.documents = documents;
  const document =
    options.run === undefined
      ? chooseRun(
          documents.filter(({ origin }) => origin.file === file),
          file,
          name,
        )
      : new Field(options.run, { file: 'the command line', problems, placeOf: () => undefined });
  const isTaskRun = document.get('kind').value === 'TaskRun';
  addParams(sources.variables, document, overrides);
  const object =
    !isTaskRun && isOfPac(document)
      ? readInlined(document, sources)
      : read(document, isTaskRun ? 'TaskRun' : 'PipelineRun', sources);
  const run = isTaskRun ? parseTaskRun(object, authSecret, overrides) : parsePipelineRun(object, authSecret);
  const pipeline = findPipeline(run, documents, sources);
  for (const { name: param, default: value } of pipeline.params) {
    const isGiven = sources.variables.strings.has(`params.${param}`);
    if (value !== undefined && !isGiven) sources.variables.addParam(param, value, 'task');
  }
  // Without its Pipeline, nothing more can be said about it.
  if (pipeline.tasks.length === 0) throwProblems(problems);
  const tasks = new Map<string, Field>();
  addFirst(tasks, documents);
  if (!isOfPac(document)) for (const field of documents) admitBeside(field);
  for (const path of [...annotatedTaskFiles(run.annotations), ...pipeline.taskFiles]) {
    addFirst(tasks, loadAnnotated(run.field, path, 'Task', sources));
  }
  const implementations = new Map<string, TaskImplementation>();
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = findTask(task, isTaskRun, tasks, sources);
    if (implementation !== undefined) implementations.set(task.name, implementation);
  }
  return { run, pipeline, implementations, objects: objectsIn(documents, notes), problems, notes };
}

/** Whether Pipelines as Code creates a run: it is in `.tekton/`, or its annotations say so. */
function isOfPac(document: Field): boolean {
  const annotations = document.get('metadata', 'annotations').members();
  return /(?:^|\/)\.tekton\//.test(document.origin.file) || annotations.some(([key]) => key.startsWith(PAC));
}

/** A run with all that it names inside, as Pipelines as Code creates it; then it is admitted. */
function readInlined(document: Field, sources: Sources): Field {
  const { notes, skip } = sources;
  const run = knownAlone(document, 'PipelineRun', notes);
  const annotations = run.get('metadata', 'annotations');
  const annotation = annotations.get(`${PAC}pipeline`);
  const [pipelineFile, another] = listIn(annotation);
  if (another !== undefined) annotation.invalid('names more than one Pipeline');
  let ofPipeline: string[] = [];
  let tasks: Map<string, Field> | undefined;
  // Only once the Pipeline is known, whose annotations name Tasks as well.
  const known = (): Map<string, Field> => {
    if (tasks !== undefined) return tasks;
    tasks = new Map();
    for (const path of [...filesIn(annotations), ...ofPipeline]) {
      addFirst(tasks, loadAnnotated(document, path, 'Task', sources));
    }
    addFirst(tasks, sources.documents);
    return tasks;
  };
  const object = inlined(withNameToKeep(run), {
    pipeline: (name) => {
      const isIt = (candidate: Field): boolean =>
        candidate.get('kind').value === 'Pipeline' && candidate.get('metadata', 'name').value === name;
      const annotated = pipelineFile === undefined ? [] : loadAnnotated(document, pipelineFile, 'Pipeline', sources);
      const found = annotated.find(isIt) ?? sources.documents.find(isIt) ?? tektonDocuments(sources).find(isIt);
      const files = found === undefined ? [] : filesIn(found.get('metadata', 'annotations'));
      ofPipeline = files.map((file) => besidePipeline(file, pipelineFile, sources.checkout));
      return found && knownAlone(found, 'Pipeline', notes);
    },
    task: (name) => {
      if (Object.hasOwn(skip, name)) return undefined;
      if (!known().has(name)) addFirst(known(), tektonDocuments(sources));
      const found = known().get(name);
      return found && knownAlone(found, 'Task', notes);
    },
  });
  admit(object, 'PipelineRun');
  return withStepActions(object, (reference) => findStepAction(reference, sources));
}

/** Of the name of each run Pipelines as Code makes a `generateName`: here only where it would be none by itself. */
function withNameToKeep(run: Field): Field {
  const metadata = run.get('metadata');
  const name = metadata.get('name');
  const start = `${name.text()}-`;
  if (isName(name.text()) || metadata.get('generateName').text() !== '' || !isGenerateName(start)) return run;
  const generateName = new Field(start, name.origin, name.keys);
  return run.with({ metadata: metadata.with({ name: undefined, generateName }) });
}

/** The Tasks that annotations name. */
function filesIn(annotations: Field): string[] {
  for (const [key, field] of annotations.members())
    if (/^pipelinesascode\.tekton\.dev\/task(?:-\d+)?$/.test(key)) listIn(field);
  return annotatedTaskFiles(stringMap(annotations));
}

function listIn(annotation: Field): string[] {
  const text = annotation.text().trim();
  if (!/^\[.*\]$|^[^[\]\s]*$/.test(text)) annotation.invalid('is neither a word nor a list in brackets');
  return splitAnnotation(text);
}

function addFirst(tasks: Map<string, Field>, documents: readonly Field[]): void {
  for (const document of documents) {
    const name = document.get('metadata', 'name').text();
    if (document.get('kind').value === 'Task' && !tasks.has(name)) tasks.set(name, document);
  }
}

/**
 * A path in the annotations of a Pipeline that an annotation names is one from that Pipeline's folder; of a file of the
 * checkout, in older versions, from the checkout's.
 */
function besidePipeline(file: string, pipeline: string | undefined, checkout: Checkout): string {
  const isUrl = pipeline !== undefined && /^https?:\/\//i.test(pipeline);
  const isPath = pipeline?.includes('/') === true && !pipeline.includes('://');
  if (pipeline === undefined || /^\w[\w+.-]*:\/\//.test(file) || !(isUrl || isPath)) return file;
  if (!isUrl) {
    const beside = posix.join(posix.dirname(pipeline), file);
    return !isThere(checkout, beside) && isThere(checkout, file) ? file : beside;
  }
  const url = new URL(pipeline);
  url.pathname = posix.join(posix.dirname(url.pathname), file);
  return url.href;
}

function objectsIn(documents: readonly Field[], notes: string[]): FileObjects {
  const objects = fileObjects(documents);
  const names = [
    ...Object.keys(objects.configMaps).map((name) => `ConfigMap ${name}`),
    ...Object.keys(objects.secrets).map((name) => `Secret ${name}`),
    ...objects.claims.map((name) => `PersistentVolumeClaim ${name}`),
  ];
  for (const name of names) notes.push(`${name} is the one in the files: a cluster needs it in the namespace`);
  return objects;
}

/** The params that a run gives, and the defaults of what is declared inside it. */
function addParams(variables: Variables, run: Field, overrides: Readonly<Record<string, ParamValue>>): void {
  const spec = run.get('spec');
  for (const inside of ['pipelineSpec', 'taskSpec']) {
    for (const param of spec.get(inside, 'params').items()) {
      const value = param.get('default');
      if (value.present) variables.addParam(param.get('name').text(), parseParamValue(value), 'task');
    }
  }
  for (const param of spec.get('params').items()) {
    variables.addParam(param.get('name').text(), parseParamValue(param.get('value')), 'task');
  }
  for (const [name, value] of Object.entries(overrides)) variables.addParam(name, value, 'task');
}

/** What variables say, and nothing else. */
function lookupIn(variables: Readonly<Record<string, string>>): VariableLookup {
  return (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined);
}

/** Whether a document is what can be run. */
export function isRun(document: Field): boolean {
  const kind = document.get('kind').value;
  return kind === 'PipelineRun' || kind === 'TaskRun';
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
    throw new TektonLocalError('USAGE', `there are ${runs.length} runs in ${file}`, {
      expected: 'the name of one of them',
      found: names.join(', '),
      hint: `--name ${names[0]}, or --event: what an event starts`,
    });
  }
  if (document !== undefined) return document;
  const message =
    name === undefined
      ? 'there is no PipelineRun or TaskRun in this file'
      : `there is no run ${JSON.stringify(name)} in this file: ${names.join(', ') || 'none'}`;
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
function annotatedTaskFiles(annotations: Readonly<Record<string, string>>): string[] {
  const numbered = Object.keys(annotations).filter((key) => /^pipelinesascode\.tekton\.dev\/task-\d+$/.test(key));
  return [...numbered, `${PAC}task`].flatMap((key) => splitAnnotation(annotations[key] ?? ''));
}

function findPipeline(run: PipelineRun, documents: Field[], sources: Sources): Pipeline {
  if (run.pipeline.kind === 'embedded') return run.pipeline.pipeline;
  const { field } = run.pipeline;
  const none = (name: string): Pipeline => {
    return { name, params: [], workspaces: [], tasks: [], finally: [], results: [], taskFiles: [], field };
  };
  if (run.pipeline.kind === 'remote') {
    const remote = remoteOf(field, 'Pipeline', sources.variables);
    const found = replacementOf(remote, field, sources.replacements, sources.problems);
    return found === undefined ? none('') : parsePipeline(read(found, 'Pipeline', sources));
  }
  const { name } = run.pipeline;
  const annotation = run.annotations[`${PAC}pipeline`];
  const isIt = (candidate: Field): boolean =>
    candidate.get('kind').value === 'Pipeline' && candidate.get('metadata', 'name').value === name;
  const annotated = splitAnnotation(annotation ?? '').flatMap((file) =>
    loadAnnotated(run.field, file, 'Pipeline', sources),
  );
  const found = annotated.find(isIt) ?? documents.find(isIt) ?? tektonDocuments(sources).find(isIt);
  if (found !== undefined) return parsePipeline(read(found, 'Pipeline', sources));
  if (mayBeMissing('Pipeline', name, sources)) return none(name);
  const where = annotation ?? NAMED_PLACES;
  field.problem('NOT_FOUND', `there is no Pipeline ${JSON.stringify(name)} in ${where}`);
  return none(name);
}

function findTask(
  { name: own, reference, custom, field: place }: PipelineTask,
  isTaskRun: boolean,
  tasks: Map<string, Field>,
  sources: Sources,
): TaskImplementation | undefined {
  const named = reference.kind === 'name' || reference.kind === 'bundle' ? reference.name : own;
  const skipped = [own, named].find((each) => Object.hasOwn(sources.skip, each));
  if (skipped !== undefined) {
    place.get('taskSpec').forgive();
    return skippedTask(named, { as: skipped, results: sources.skip[skipped] ?? {} }, place);
  }
  if (custom !== undefined) {
    custom.unsupported(`custom tasks are not supported: --skip ${own} does without it`);
    return undefined;
  }
  if (reference.kind === 'embedded') return { task: reference.task, embedded: true };
  const { field } = reference;
  if (reference.kind !== 'name') {
    const given = Object.hasOwn(sources.given, named) ? sources.given[named] : undefined;
    if (given !== undefined) return { task: readGiven(named, given, sources), embedded: false, given };
    const remote = remoteOf(field, 'Task', sources.variables);
    const found = replacementOf(remote, field, sources.replacements, sources.problems);
    return found && { task: parseTask(found, sources), embedded: false };
  }
  const { name } = reference;
  // A pipeline in its place, which has been refused.
  if (name === '') return undefined;
  if (!tasks.has(name)) addFirst(tasks, tektonDocuments(sources));
  const document = tasks.get(name);
  if (document !== undefined) return { task: parseTask(document, sources), embedded: false };
  // Of another kind it has been refused as such, and no file would help. A TaskRun may call it what it likes.
  const isRefused = !isTaskRun && !['', 'Task'].includes(field.get('kind').text());
  if (mayBeMissing('Task', name, sources) || isRefused) return undefined;
  field.problem('NOT_FOUND', `there is no Task ${JSON.stringify(name)} in ${NAMED_PLACES}`);
  return undefined;
}

/** Whether it may be in what an annotation names, which has been told already. */
function mayBeMissing(kind: RemoteKind, name: string, { missing }: Sources): boolean {
  return missing.some((remote) => remote.kind === kind && (remote.name ?? name) === name);
}

/** A task that is not run: it declares the results that it is given, and takes whatever params it gets. */
function skippedTask(
  name: string,
  skipped: NonNullable<TaskImplementation['skipped']>,
  field: Field,
): TaskImplementation {
  const declared = Object.entries(skipped.results).map(([result, value]) => ({
    name: result,
    type: typeOf(value),
    field,
  }));
  const task = { name, params: [], results: declared, steps: [], sidecars: [], volumes: [], workspaces: [], field };
  return { task, embedded: false, skipped };
}

/** Reads a Task of the caller's; what is wrong with it is told like what is wrong in the files. */
function readGiven(name: string, { task }: GivenTask, { problems, read }: Sources): Task {
  const known = read.get(name);
  if (known !== undefined) return known;
  const origin = { file: `tasks[${JSON.stringify(name)}]`, problems, placeOf: () => undefined };
  const documents =
    typeof task === 'string' ? loadDocuments(dirname(task), basename(task), problems) : [new Field(task, origin)];
  const document = documents.find((entry) => entry.get('kind').value === 'Task') ?? new Field({}, origin);
  const parsed = parseTaskSpec(readObject(document, 'Task').get('spec'), name);
  read.set(name, parsed);
  return parsed;
}

/** An object that has been admitted, with StepActions in the place of the steps that refer to them. */
function read(document: Field, kind: Kind, sources: Sources): Field {
  return withStepActions(readObject(document, kind), (reference) => findStepAction(reference, sources));
}

function findStepAction(reference: Field, sources: Sources): Field | undefined {
  const { problems, replacements, documents, notes } = sources;
  if (reference.get('resolver').present) {
    const remote = remoteOf(reference, 'StepAction', sources.variables);
    const found = replacementOf(remote, reference, replacements, problems);
    return found && readObject(found, 'StepAction');
  }
  const name = reference.get('name').text();
  const isIt = (document: Field): boolean =>
    document.get('kind').value === 'StepAction' && document.get('metadata', 'name').value === name;
  const found = documents.find(isIt) ?? tektonDocuments(sources).find(isIt);
  if (found === undefined) {
    reference.problem(
      'NOT_FOUND',
      `there is no StepAction ${JSON.stringify(name)} in the files that are named, or in .tekton`,
    );
  } else notes.push(`StepAction ${name} is the one in ${found.origin.file}: a cluster needs it in the namespace`);
  return found && readObject(found, 'StepAction');
}

/** What is in the files beside the run is applied with it, whether or not anything refers to it. */
function admitBeside(document: Field): void {
  const kind = document.get('kind').value;
  if (kind === 'StepAction' || kind === 'Pipeline' || kind === 'Task') readObject(document, kind);
}

function parseTask(document: Field, sources: Sources): Task {
  const known = sources.parsed.get(document);
  if (known !== undefined) return known;
  const task = parseTaskSpec(read(document, 'Task', sources).get('spec'), document.get('metadata', 'name').text());
  sources.parsed.set(document, task);
  return task;
}

/** What an annotation names: a file of the checkout, or what stands for a URL or a name of a hub. */
function loadAnnotated(run: Field, text: string, kind: 'Task' | 'Pipeline', sources: Sources): Field[] {
  const { checkout, lookup, problems, notes, replacements } = sources;
  if (!text.includes('://') && text.includes('/')) return loadDocuments(checkout, text, problems, lookup, notes);
  const remote = annotatedRemote(kind, text);
  const found = replacementOf(remote, run.get('metadata', 'annotations'), replacements, problems);
  if (found !== undefined) return [found];
  sources.missing.push(remote);
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
