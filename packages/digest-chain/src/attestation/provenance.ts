import { TEKTON } from '../../../kit/src/tekton.ts';
import type { Digest } from '../digest.ts';
import { type DigestChainError, unexpected } from '../errors.ts';
import { decodeJson, items, known, member, members, textOf } from '../json/decode.ts';
import { decodeBase64 } from '../signature/keys.ts';
import { type Definition, definitionOf } from './definition.ts';
import { distinctSources, type GitSource, normalGitUrl } from './git-source.ts';
import type { RunEvent } from './run-event.ts';
import { gitSourceOf, imagesOf, type Values } from './type-hints.ts';

/** A run as its provenance tells it; what has no bearing on a chain is left out. */
export interface Provenance {
  /** Whose run: a whole pipeline's, or that of one task alone. */
  readonly of: 'PipelineRun' | 'TaskRun';
  readonly buildType: string;
  readonly builder: string | undefined;
  /** The UID of the PipelineRun that it is, or belongs to. */
  readonly run: string | undefined;
  /** Of a TaskRun itself alone; none where a pipeline's provenance lists none. */
  readonly tasks: readonly ProvenanceTask[];
  /** Every git repository that went in, but for where tasks and pipelines are defined; each once. */
  readonly sources: readonly GitSource[];
  /** Where the pipeline is defined, where it is not in the run itself. */
  readonly definition: Definition | undefined;
  readonly event: RunEvent;
}

/** What Tekton Chains says about one task of a run. */
export interface ProvenanceTask {
  /** Its name in the pipeline. */
  readonly name: string;
  /** Undefined in a TaskRun's own provenance, which does not say it. */
  readonly status: string | undefined;
  /** The parameters with which it was called, with every reference resolved. */
  readonly params: Values;
  readonly results: Values;
  /**
   * The digests of the images that it returned. Undefined where the predicate is about this one task: what it made are
   * the statement's subjects then.
   */
  readonly outputs: ReadonlySet<Digest> | undefined;
  /** Undefined for a task that is defined in the run itself. */
  readonly definition: Definition | undefined;
}

/** More tasks in one run are refused. */
const MAX_TASKS = 2000;

const SLSA_V02 = 'https://slsa.dev/provenance/v0.2';
const SLSA_V1 = 'https://slsa.dev/provenance/v1';

/**
 * Reads provenance as Tekton Chains writes it (its formats in-toto and slsa/v1, slsa/v2alpha3 and v2alpha4); undefined
 * for other predicates.
 * - SLSA v0.2: `buildConfig.tasks[]` of a PipelineRun, with `invocation.parameters` and `results`; of a TaskRun, which
 *   the build type tells, the parameters are its own `invocation.parameters`.
 * - SLSA v1: a PipelineRun's tasks are the `resolvedDependencies` named `pipelineTask`, each with the whole TaskRun as
 *   base64 JSON in `content`. That is so with the build type `…/slsa-tekton`; the plain `…/slsa` lists no parameters.
 *   Both types are a TaskRun's as well: then `externalParameters.runSpec` is a task's, with its `params`.
 *
 * Throws `ATTESTATION_INVALID`, and the codes of JSON.
 */
export function readProvenance(predicateType: string, predicate: unknown): Provenance | undefined {
  if (predicateType === SLSA_V02) return readV02(predicate);
  return predicateType === SLSA_V1 ? readV1(predicate) : undefined;
}

// The last is what Chains wrote before it named the kind.
const TASK_RUNS = ['tekton.dev/v1/TaskRun', 'tekton.dev/v1beta1/TaskRun', 'https://tekton.dev/attestations/chains@v2'];

function readV02(predicate: unknown): Provenance {
  const buildType = textOf(known(predicate, 'buildType')) ?? '';
  const invocation = known(predicate, 'invocation');
  const listed = known(predicate, 'buildConfig', 'tasks');
  const isTask = listed === undefined && TASK_RUNS.includes(buildType);
  const definition = definitionOf(undefined, known(invocation, 'configSource'));
  const read = isTask ? [taskOf(undefined, invocation, undefined)] : limited(items(listed)).map(readTaskV02);
  const tasks = read.map(({ task }) => task);
  const event = eventOf(known(invocation, 'environment'), valuesOf(known(invocation, 'parameters')));
  const definitions = [definition, ...tasks.map((task) => task.definition)];
  return {
    of: isTask ? 'TaskRun' : 'PipelineRun',
    buildType,
    builder: textOf(known(predicate, 'builder', 'id')),
    run: only(read.map(({ run }) => run)),
    tasks,
    sources: sourcesOf(items(known(predicate, 'materials')), definitions, tasks, event.params),
    definition,
    event,
  };
}

function readTaskV02(entry: unknown): ReadTask {
  const results = named(known(entry, 'results'));
  const reference = known(entry, 'ref');
  const { task, run } = taskOf(textOf(known(entry, 'name')), known(entry, 'invocation'), reference);
  const status = textOf(known(entry, 'status')) ?? '';
  return { task: { ...task, status, results, outputs: imagesOf(results) }, run };
}

/** A task by its `invocation`. */
function taskOf(name: string | undefined, invocation: unknown, reference: unknown): ReadTask {
  const labels = known(invocation, 'environment', 'labels');
  return {
    run: textOf(member(labels, TEKTON.pipelineRunUid)),
    task: {
      name: name ?? textOf(member(labels, TEKTON.pipelineTask)) ?? '',
      status: undefined,
      params: valuesOf(known(invocation, 'parameters')),
      results: new Map(),
      outputs: undefined,
      definition: definitionOf(reference, known(invocation, 'configSource')),
    },
  };
}

interface ReadTask {
  readonly task: ProvenanceTask;
  /** The run that it says it belongs to. */
  readonly run: string | undefined;
}

function readV1(predicate: unknown): Provenance {
  const definition = known(predicate, 'buildDefinition');
  const runSpec = known(definition, 'externalParameters', 'runSpec');
  const internal = known(definition, 'internalParameters');
  const event = eventOf(internal, named(known(runSpec, 'params')));
  const dependencies = items(known(definition, 'resolvedDependencies'));
  const common = {
    buildType: textOf(known(definition, 'buildType')) ?? '',
    builder: textOf(known(predicate, 'runDetails', 'builder', 'id')),
    event,
  };
  const reference = known(runSpec, 'taskRef');
  if (reference !== undefined || known(runSpec, 'taskSpec') !== undefined) {
    const resolved = dependencies.find((dependency) => known(dependency, 'name') === 'task');
    const task: ProvenanceTask = {
      name: textOf(event.labels.get(TEKTON.pipelineTask)) ?? '',
      status: undefined,
      params: event.params,
      results: new Map(),
      outputs: undefined,
      definition: definitionOf(reference, resolved),
    };
    const run = textOf(event.labels.get(TEKTON.pipelineRunUid));
    const sources = sourcesOf(dependencies, [task.definition], [], event.params);
    return { of: 'TaskRun', ...common, run, tasks: [task], sources, definition: undefined };
  }
  const contents = dependencies.filter(
    (dependency) => known(dependency, 'name') === 'pipelineTask' && known(dependency, 'content') !== undefined,
  );
  const read = limited(contents).map((entry) => taskOfRun(textOf(known(entry, 'content'))));
  const tasks = read.map(({ task }) => task);
  const pipeline = dependencies.find((dependency) => known(dependency, 'name') === 'pipeline');
  return {
    of: 'PipelineRun',
    ...common,
    run: only([textOf(known(predicate, 'runDetails', 'metadata', 'invocationId')), ...read.map(({ run }) => run)]),
    tasks,
    sources: sourcesOf(
      dependencies.filter((dependency) => !DEFINITIONS.test(textOf(known(dependency, 'name')) ?? '')),
      [],
      tasks,
      event.params,
    ),
    definition: definitionOf(undefined, pipeline),
    event,
  };
}

/** The names of resolved dependencies that say where something is defined (Chains, internal/resolved_dependencies). */
const DEFINITIONS = /^(?:pipeline|task|pipelineTask|stepAction\/.*)$/;

/** A TaskRun (tekton.dev/v1; v1beta1 calls its results taskResults), as Chains stores it. */
function taskOfRun(content: string | undefined): ReadTask {
  const bytes = decodeBase64(content ?? '*');
  if (bytes === undefined) throw malformed('base64', 'something else');
  const run = decodeJson(bytes);
  const labels = known(run, 'metadata', 'labels');
  const results = named(known(run, 'status', 'results') ?? known(run, 'status', 'taskResults'));
  return {
    run: textOf(member(labels, TEKTON.pipelineRunUid)),
    task: {
      name: textOf(member(labels, TEKTON.pipelineTask)) ?? '',
      status: statusOf(items(known(run, 'status', 'conditions'))),
      params: named(known(run, 'spec', 'params')),
      results,
      outputs: imagesOf(results),
      definition: definitionOf(known(run, 'spec', 'taskRef'), known(run, 'status', 'provenance', 'refSource')),
    },
  };
}

/** In the words of Chains' other format (getStatus in pkg/chains/formats/slsa/v1/pipelinerun). */
function statusOf(conditions: readonly unknown[]): string {
  const condition = conditions.find((entry) => known(entry, 'type') === 'Succeeded');
  const status = textOf(known(condition, 'status'));
  return status === 'True' ? 'Succeeded' : status === 'False' ? 'Failed' : 'Running';
}

/**
 * The git repositories among materials, and those that tasks and the run name in type hints, which Chains puts among the
 * materials only with deep inspection. A task's or the pipeline's definition may come from git as well (Tekton's resolver
 * `git`): that is no source of what was built, unless a hint says that it is that, too.
 */
function sourcesOf(
  materials: readonly unknown[],
  definitions: readonly (Definition | undefined)[],
  tasks: readonly ProvenanceTask[],
  params: Values,
): readonly GitSource[] {
  const defined = new Set(definitions.map((definition) => definition && normalGitUrl(definition.uri)));
  const found = materials.flatMap((material) => gitMaterial(material) ?? []).filter(({ url }) => !defined.has(url));
  const hinted = [params, ...tasks.map((task) => task.results)].flatMap((values) => gitSourceOf(values) ?? []);
  return distinctSources([...found, ...hinted]);
}

/** Chains writes every commit as `sha1`, also one of 64 digits; SLSA calls it `gitCommit`. */
function gitMaterial(material: unknown): GitSource | undefined {
  const uri = textOf(known(material, 'uri')) ?? '';
  const digest = known(material, 'digest');
  const commit = textOf(known(digest, 'sha1')) ?? textOf(known(digest, 'gitCommit'));
  if (commit === undefined && !/^git[+:]/.test(uri)) return undefined;
  return { url: normalGitUrl(uri), commit: (commit ?? textOf(known(digest, 'sha256')) ?? '').trim() };
}

function eventOf(environment: unknown, params: Values): RunEvent {
  return {
    labels: valuesOf(known(environment, 'labels')),
    annotations: valuesOf(known(environment, 'annotations')),
    params,
  };
}

function valuesOf(map: unknown): Values {
  return new Map(members(map));
}

/** `[{name, value}]`, as Tekton writes params and results. A name that repeats has no value that could be trusted. */
function named(list: unknown): Values {
  const values = new Map<string, unknown>();
  for (const entry of items(list)) {
    const name = textOf(known(entry, 'name')) ?? '';
    if (values.has(name)) throw malformed('each name once', name);
    values.set(name, known(entry, 'value'));
  }
  return values;
}

/** What all of them say that say something. */
function only(uids: readonly (string | undefined)[]): string | undefined {
  const said = [...new Set(uids.filter((uid) => uid !== undefined && uid !== ''))];
  if (said.length > 1) throw malformed('tasks of one PipelineRun', said.join(', ').slice(0, 160));
  return said[0];
}

function limited(tasks: readonly unknown[]): readonly unknown[] {
  if (tasks.length > MAX_TASKS) throw malformed(`up to ${MAX_TASKS} tasks`, `${tasks.length}`);
  return tasks;
}

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'the provenance can not be read', expected, found);
