import { createHash } from 'node:crypto';
import { type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';
import { typeOf } from '../plan/parse-values.ts';
import type { Plan } from '../plan/plan.ts';
import { listOf, taskRefOf, time } from '../run/tekton-status.ts';
import type { ImageResult } from './image-results.ts';

export const SLSA = 'https://slsa.dev/provenance/v0.2';

/** Not Chains' own name: whoever reads this must see that a machine without a cluster made it, and may refuse it. */
export const LOCAL_BUILDER = 'https://tekton.dev/chains/v2#tekton-local';

/** What its TaskRuns call a run. */
export interface RunIdentity {
  readonly uid: string;
  /** Who says that it built; {@link LOCAL_BUILDER} by default. */
  readonly builderId?: string | undefined;
}

/** An in-toto Statement v0.1 with SLSA provenance v0.2 of the whole run, as Chains' format `in-toto` writes it. */
export function provenanceOf(
  plan: Plan,
  outcome: PipelineRunOutcome,
  subjects: readonly ImageResult[],
  run: RunIdentity,
): object {
  const url = outcome.results['CHAINS-GIT_URL'];
  const commit = outcome.results['CHAINS-GIT_COMMIT'];
  const git =
    typeof url === 'string' && typeof commit === 'string'
      ? [{ uri: `git+${url.replace(/(\.git)?$/, '.git')}`, digest: { sha1: commit.trim() } }]
      : [];
  return statementOf(subjects, run, {
    buildType: 'tekton.dev/v1/PipelineRun',
    invocation: {
      configSource: {},
      parameters: plan.params,
      environment: { annotations: plan.run.annotations, labels: plan.run.labels },
    },
    buildConfig: {
      tasks: outcome.tasks
        .flatMap(taskRunsOf)
        .filter((task) => task.startedAt !== undefined)
        .map((task) => taskOf(plan, task, run)),
    },
    metadata: metadataOf(outcome.startedAt, outcome.finishedAt),
    materials: git,
  });
}

/** The same of one TaskRun of it. */
export function taskProvenanceOf(
  plan: Plan,
  outcome: TaskOutcome,
  subjects: readonly ImageResult[],
  run: RunIdentity,
): object {
  return statementOf(subjects, run, {
    buildType: 'tekton.dev/v1/TaskRun',
    invocation: invocationOf(plan, outcome, run),
    buildConfig: { steps: stepsOf(outcome) },
    metadata: metadataOf(outcome.startedAt, outcome.finishedAt),
    materials: [],
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

function invocationOf(plan: Plan, { name, params = {} }: TaskOutcome, { uid }: RunIdentity): object {
  const { run } = plan;
  const labels = { ...run.labels, 'tekton.dev/pipelineRunUID': uid, 'tekton.dev/pipelineTask': name };
  const environment = { annotations: run.annotations, labels };
  return { configSource: configSourceOf(plan, name), parameters: params, environment };
}

/**
 * Where a task is defined. Nothing is fetched here, so what a pipeline names elsewhere (a bundle, a git repository) did not
 * run: another Task did in its place, which has a name that no cluster uses, and the digest of its spec.
 */
function configSourceOf({ pipeline, implementations }: Plan, name: string): object {
  const { reference } = [...pipeline.tasks, ...pipeline.finally].find((task) => task.name === name) ?? {};
  const { task } = implementations.get(name) ?? {};
  if (task === undefined || reference?.kind === 'name' || reference?.kind === 'embedded') return {};
  const sha256 = createHash('sha256').update(JSON.stringify(task.field.value)).digest('hex');
  return { uri: `urn:tekton-local:task-in-place-of:${task.name || name}`, digest: { sha256 } };
}

function stepsOf(outcome: TaskOutcome): object[] {
  return outcome.steps.map((step) => ({
    entryPoint: '',
    arguments: null,
    environment: { container: step.name },
    annotations: null,
  }));
}

function taskOf(plan: Plan, outcome: TaskOutcome, run: RunIdentity): object {
  const task = [...plan.pipeline.tasks, ...plan.pipeline.finally].find(({ name }) => name === outcome.name);
  const after = plan.dependencies.get(outcome.name)?.all ?? [];
  return {
    name: outcome.name,
    after: after.length > 0 ? after : undefined,
    ref: (task?.reference.kind === 'name' && taskRefOf(task)) || {},
    startedOn: time(outcome.startedAt ?? 0),
    finishedOn: time(outcome.finishedAt ?? 0),
    status: outcome.status,
    steps: stepsOf(outcome),
    invocation: invocationOf(plan, outcome, run),
    results: listOf(outcome.results).map((result) => ({ ...result, type: typeOf(result.value) })),
  };
}
