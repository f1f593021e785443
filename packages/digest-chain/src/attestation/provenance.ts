import { type Digest, isDigest } from '../digest.ts';
import { type DigestChainError, unexpected } from '../errors.ts';
import { at, decodeJson, items, member, members, textOf } from '../json/decode.ts';
import { decodeBase64 } from './keys.ts';

/** A run as its provenance tells it; what has no bearing on a chain is left out. */
export interface Provenance {
  /** Whose run: a whole pipeline's, or that of one task alone. */
  readonly of: 'PipelineRun' | 'TaskRun';
  readonly buildType: string;
  readonly builder: string | undefined;
  /** Of a TaskRun itself alone; none where a pipeline's provenance lists none. */
  readonly tasks: readonly ProvenanceTask[];
}

/** What Tekton Chains says about one task of a run. */
export interface ProvenanceTask {
  /** Its name in the pipeline. */
  readonly name: string;
  /** The parameter `BUILD_ARGS` as the task was called, with every reference resolved; undefined where it has none. */
  readonly buildArgs: readonly string[] | undefined;
  /**
   * The digests that it returned as `IMAGE_DIGEST` (or a result that ends so). Undefined where the predicate is about
   * this one task: what it built are the statement's subjects then.
   */
  readonly outputs: ReadonlySet<Digest> | undefined;
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
 * Throws `ATTESTATION_INVALID`.
 */
export function readProvenance(predicateType: string, predicate: unknown): Provenance | undefined {
  if (predicateType === SLSA_V02) {
    return {
      buildType: textOf(member(predicate, 'buildType')) ?? '',
      builder: textOf(at(predicate, 'builder', 'id')),
      ...runOfV02(predicate),
    };
  }
  if (predicateType !== SLSA_V1) return undefined;
  const definition = member(predicate, 'buildDefinition');
  return {
    buildType: textOf(member(definition, 'buildType')) ?? '',
    builder: textOf(at(predicate, 'runDetails', 'builder', 'id')),
    ...runOfV1(definition),
  };
}

type Run = Pick<Provenance, 'of' | 'tasks'>;

// The last is what Chains wrote before it named the kind.
const TASK_RUNS = ['tekton.dev/v1/TaskRun', 'tekton.dev/v1beta1/TaskRun', 'https://tekton.dev/attestations/chains@v2'];

function runOfV02(predicate: unknown): Run {
  const tasks = at(predicate, 'buildConfig', 'tasks');
  const parameters = (invocation: unknown) => new Map(members(member(invocation, 'parameters')));
  if (tasks === undefined && TASK_RUNS.includes(textOf(member(predicate, 'buildType')) ?? '')) {
    const invocation = member(predicate, 'invocation');
    const name = at(invocation, 'environment', 'labels', PIPELINE_TASK);
    return { of: 'TaskRun', tasks: [task(name, parameters(invocation), undefined)] };
  }
  const read = limited(items(tasks)).map((entry) =>
    task(member(entry, 'name'), parameters(member(entry, 'invocation')), named(member(entry, 'results'))),
  );
  return { of: 'PipelineRun', tasks: read };
}

function runOfV1(definition: unknown): Run {
  const runSpec = at(definition, 'externalParameters', 'runSpec');
  if (member(runSpec, 'taskRef') !== undefined || member(runSpec, 'taskSpec') !== undefined) {
    const name = at(definition, 'internalParameters', 'labels', PIPELINE_TASK);
    return { of: 'TaskRun', tasks: [task(name, named(member(runSpec, 'params')), undefined)] };
  }
  const tasks = items(member(definition, 'resolvedDependencies')).filter(
    (dependency) => member(dependency, 'name') === 'pipelineTask' && member(dependency, 'content') !== undefined,
  );
  return { of: 'PipelineRun', tasks: limited(tasks).map((entry) => taskOfRun(textOf(member(entry, 'content')))) };
}

const PIPELINE_TASK = 'tekton.dev/pipelineTask';

/** A TaskRun (tekton.dev/v1; v1beta1 calls its results taskResults), as Chains stores it. */
function taskOfRun(content: string | undefined): ProvenanceTask {
  const bytes = decodeBase64(content ?? '*');
  if (bytes === undefined) throw malformed('base64', 'something else');
  const run = decodeJson(bytes);
  const results = named(at(run, 'status', 'results') ?? at(run, 'status', 'taskResults'));
  return task(at(run, 'metadata', 'labels', PIPELINE_TASK), named(at(run, 'spec', 'params')), results);
}

function task(
  name: unknown,
  parameters: ReadonlyMap<string, unknown>,
  results: ReadonlyMap<string, unknown> | undefined,
): ProvenanceTask {
  const buildArgs = parameters.get('BUILD_ARGS');
  return {
    name: textOf(name) ?? '',
    buildArgs: buildArgs === undefined ? undefined : items(buildArgs).map((argument) => textOf(argument) ?? ''),
    outputs: results === undefined ? undefined : new Set([...results].flatMap(outputOf)),
  };
}

function outputOf([name, value]: readonly [string, unknown]): Digest[] {
  // Older tasks write the digest with a newline at its end.
  const text = textOf(value)?.trimEnd() ?? '';
  return name.endsWith('IMAGE_DIGEST') && isDigest(text) ? [text] : [];
}

/** `[{name, value}]`, as Tekton writes params and results. A name that repeats has no value that could be trusted. */
function named(list: unknown): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const entry of items(list)) {
    const name = textOf(member(entry, 'name')) ?? '';
    if (values.has(name)) throw malformed('each name once', name.slice(0, 160));
    values.set(name, member(entry, 'value'));
  }
  return values;
}

function limited(tasks: readonly unknown[]): readonly unknown[] {
  if (tasks.length > MAX_TASKS) throw malformed(`up to ${MAX_TASKS} tasks`, `${tasks.length}`);
  return tasks;
}

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'the provenance can not be read', expected, found);
