import { createHash } from 'node:crypto';
import { TEKTON } from '@multi-image/kit/tekton';
import type { PipelineRunOutcome, TaskOutcome } from '../outcome.ts';
import type { Plan } from '../plan/plan.ts';
import { resultsNeeded } from '../plan/task-runs.ts';
import { typeOf } from '../plan/values.ts';
import type { StepShown } from '../run/step-run.ts';
import { listOf, memberOf, pipelineTaskOf, taskRefOf, time } from '../run/tekton-status.ts';
import type { ImageResult } from './image-results.ts';
import type { StepImage } from './step-images.ts';

const SLSA = 'https://slsa.dev/provenance/v0.2';

/** Not Chains' own name: whoever reads this must see that a machine without a cluster made it, and may refuse it. */
export const LOCAL_BUILDER = 'https://tekton.dev/chains/v2#tekton-local';

/** What its TaskRuns call a run. */
export interface RunIdentity {
  readonly uid: string;
  /** Who says that it built; {@link LOCAL_BUILDER} by default. */
  readonly builderId?: string | undefined;
}

/** A TaskRun that has ended, with what it ran. */
export interface EndedTaskRun {
  readonly outcome: TaskOutcome;
  readonly steps: readonly EndedStep[];
  /** What its sidecars ran in. */
  readonly sidecars: readonly StepImage[];
}

export interface EndedStep {
  readonly shown: Pick<StepShown, 'name' | 'command' | 'args' | 'script'>;
  readonly image: StepImage;
}

/** An in-toto Statement v0.1 with SLSA provenance v0.2 of the whole run, as Chains' format `in-toto` writes it. */
export function provenanceOf(
  plan: Plan,
  outcome: PipelineRunOutcome,
  taskRuns: readonly EndedTaskRun[],
  subjects: readonly ImageResult[],
  run: RunIdentity,
): object {
  const named = { ...run, name: outcome.name };
  return statementOf(subjects, run, {
    buildType: 'tekton.dev/v1/PipelineRun',
    invocation: {
      configSource: {},
      parameters: plan.params,
      environment: environmentOf(plan.run.annotations, labelsOf(plan, outcome.name)),
    },
    buildConfig: { tasks: taskRuns.map((taskRun) => taskOf(plan, taskRun, named)) },
    metadata: metadataOf(outcome.startedAt, outcome.finishedAt),
    materials: distinct([
      ...taskRuns.flatMap((taskRun) => [...imagesOf(taskRun), ...definitionOf(plan, taskRun.outcome.name)]),
      ...inputsOf([outcome]),
      ...taskRuns.flatMap((taskRun) => [...sourceOf(taskRun.outcome), ...inputsOf([taskRun.outcome])]),
      ...sourceOf({ params: plan.params, results: outcome.results }),
    ]),
  });
}

/** The same of one TaskRun of it. `name` is the run's. */
export function taskProvenanceOf(
  plan: Plan,
  taskRun: EndedTaskRun,
  subjects: readonly ImageResult[],
  run: RunIdentity & { readonly name: string },
): object {
  const { outcome } = taskRun;
  return statementOf(subjects, run, {
    buildType: 'tekton.dev/v1/TaskRun',
    invocation: invocationOf(plan, outcome, run),
    buildConfig: { steps: taskRun.steps.map((step) => stepOf(step, !step.shown.name.startsWith('unnamed-'))) },
    metadata: metadataOf(outcome.startedAt, outcome.finishedAt),
    materials: distinct([...imagesOf(taskRun), ...sourceOf(outcome), ...inputsOf([outcome])]),
  });
}

function statementOf(
  subjects: readonly ImageResult[],
  { builderId = LOCAL_BUILDER }: RunIdentity,
  predicate: object,
): object {
  return {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: SLSA,
    subject: subjects.map(({ registry, repository, digest }) => ({
      name: `${registry}/${repository}`,
      digest: { sha256: digest.slice('sha256:'.length) },
    })),
    predicate: { builder: { id: builderId }, ...predicate },
  };
}

function metadataOf(startedAt = 0, finishedAt = 0): object {
  return {
    buildStartedOn: time(startedAt),
    buildFinishedOn: time(finishedAt),
    completeness: { parameters: false, environment: false, materials: false },
    reproducible: false,
  };
}

/** The labels that a run has on a cluster. */
function labelsOf({ run, pipeline }: Plan, name: string): Readonly<Record<string, string>> {
  // What a name is made from, without what it ends with.
  const anonymous = run.generated ? run.name.replace(/[^A-Za-z0-9]+$/, '') : name;
  return run.isTaskRun ? run.labels : { [TEKTON.pipeline]: pipeline.name || anonymous, ...run.labels };
}

function invocationOf(
  plan: Plan,
  { name, params = {} }: TaskOutcome,
  { uid, name: runName }: RunIdentity & { readonly name: string },
): object {
  const { run, implementations } = plan;
  const { task, embedded } = implementations.get(name) ?? {};
  const defaults = (task?.params ?? []).flatMap((param) =>
    param.default === undefined ? [] : [[param.name, param.default]],
  );
  const { reference } = pipelineTaskOf(plan, name) ?? {};
  const own = run.pods.get(name)?.task;
  const labels = {
    ...own?.labels,
    ...labelsOf(plan, runName),
    ...(run.isTaskRun
      ? {}
      : {
          [TEKTON.memberOf]: memberOf(plan, name),
          [TEKTON.pipelineRun]: runName,
          [TEKTON.pipelineRunUid]: uid,
          [TEKTON.pipelineTask]: name,
        }),
    ...(embedded || reference === undefined ? {} : { [TEKTON.task]: task?.name ?? name }),
  };
  // A Tekton that was built by somebody calls its release so.
  const annotations = { ...own?.annotations, ...run.annotations, 'pipeline.tekton.dev/release': 'unknown' };
  return {
    configSource: definitionOf(plan, name)[0] ?? {},
    parameters: { ...Object.fromEntries(defaults), ...params },
    environment: environmentOf(annotations, labels),
  };
}

function environmentOf(
  annotations: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): object | undefined {
  const kept = Object.entries(annotations).filter(
    ([name]) => name !== 'kubectl.kubernetes.io/last-applied-configuration' && !name.startsWith('chains.tekton.dev/'),
  );
  const environment = {
    annotations: kept.length === 0 ? undefined : Object.fromEntries(kept),
    labels: Object.keys(labels).length === 0 ? undefined : labels,
  };
  return environment.annotations === undefined && environment.labels === undefined ? undefined : environment;
}

/**
 * Where a task is defined. Nothing is fetched here, so what a pipeline names elsewhere (a bundle, a git repository) did not
 * run: another Task did in its place, which has a name that no cluster uses, and the digest of its spec.
 */
function definitionOf(plan: Plan, name: string): Material[] {
  const { reference } = pipelineTaskOf(plan, name) ?? {};
  const { task } = plan.implementations.get(name) ?? {};
  if (task === undefined || reference?.kind === 'name' || reference?.kind === 'embedded') return [];
  const sha256 = createHash('sha256').update(JSON.stringify(task.field.value)).digest('hex');
  return [{ uri: `urn:tekton-local:task-in-place-of:${task.name || name}`, digest: { sha256 } }];
}

/** A TaskRun's statement knows its steps by their names alone. */
function stepOf({ shown: { name, command, args, script }, image }: EndedStep, isKnown: boolean): object {
  return {
    entryPoint: isKnown ? script || command.join(' ') : '',
    arguments: isKnown && args.length > 0 ? args : null,
    environment: {
      container: name,
      image: image.sha256 === undefined ? image.uri : `${image.uri}@sha256:${image.sha256}`,
    },
    annotations: null,
  };
}

function taskOf(plan: Plan, { outcome, steps }: EndedTaskRun, run: RunIdentity & { readonly name: string }): object {
  const task = pipelineTaskOf(plan, outcome.name);
  const after = afterOf(plan, outcome.name);
  const results = listOf(outcome.results).map(({ name, value }) => ({ name, type: typeOf(value), value }));
  return {
    name: outcome.name,
    after: after.length > 0 ? after : undefined,
    ref: (task?.reference.kind === 'name' && taskRefOf(task)) || {},
    startedOn: time(outcome.startedAt ?? 0),
    finishedOn: time(outcome.finishedAt ?? 0),
    serviceAccountName: plan.run.serviceAccountName ?? 'default',
    status: outcome.status === 'Succeeded' ? 'Succeeded' : 'Failed',
    steps: steps.map((step) => stepOf(step, true)),
    invocation: invocationOf(plan, outcome, run),
    results: results.length > 0 ? results : undefined,
  };
}

/** What a task says that it comes after, then what it takes results of; a finally task without either comes after the last. */
function afterOf(plan: Plan, name: string): readonly string[] {
  const { pipeline, implementations } = plan;
  const task = pipelineTaskOf(plan, name);
  const { task: spec, embedded = false } = implementations.get(name) ?? {};
  if (task === undefined || spec === undefined) return [];
  const after = [...new Set([...task.runAfter, ...resultsNeeded({ task, spec, embedded }).map((one) => one.task)])];
  if (after.length > 0 || !pipeline.finally.includes(task)) return after;
  return pipeline.tasks.slice(-1).map((last) => last.name);
}

interface Material {
  readonly uri: string;
  readonly digest: Readonly<Record<string, string>>;
}

function imagesOf({ steps, sidecars }: EndedTaskRun): Material[] {
  return [...steps.map(({ image }) => image), ...sidecars].flatMap(({ uri, sha256 }) =>
    sha256 === undefined ? [] : [{ uri, digest: { sha256 } }],
  );
}

/** The repository that type hints name, of which results count before params. */
function sourceOf({ params = {}, results }: Pick<TaskOutcome, 'params' | 'results'>): Material[] {
  const [url, commit] = ['CHAINS-GIT_URL', 'CHAINS-GIT_COMMIT'].map((name) => results[name] ?? params[name]);
  if (typeof url !== 'string' || typeof commit !== 'string' || url === '' || commit === '') return [];
  return [{ uri: `git+${url.replace(/^git\+/, '').replace(/(\.git)?$/, '.git')}`, digest: { sha1: commit } }];
}

/** Results of the type hint for what went in: objects `…ARTIFACT_INPUTS` with `uri` and `digest`. */
function inputsOf(owners: readonly Pick<TaskOutcome, 'results'>[]): Material[] {
  return owners.flatMap(({ results }) =>
    Object.entries(results).flatMap(([name, value]) => {
      if (!name.endsWith('ARTIFACT_INPUTS') || typeof value !== 'object' || Array.isArray(value)) return [];
      const [, algorithm = '', hex = ''] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(value.digest ?? '') ?? [];
      return hex === '' || !value.uri ? [] : [{ uri: value.uri, digest: { [algorithm]: hex } }];
    }),
  );
}

/** Each once, in the order in which they come. */
function distinct(materials: readonly Material[]): Material[] {
  return [...new Map(materials.map((material) => [JSON.stringify(material), material])).values()];
}
