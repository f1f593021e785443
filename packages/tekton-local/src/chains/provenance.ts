import { formatReference } from '@multi-image/digest-chain/oci';
import type { PipelineRunOutcome, TaskOutcome } from '../outcome.ts';
import type { ParamValue } from '../plan/model.ts';
import { typeOf } from '../plan/parse-values.ts';
import type { Plan } from '../plan/plan.ts';
import { time } from '../run/tekton-status.ts';
import { type ImageResult, imagesInResults } from './image-results.ts';

export const SLSA = 'https://slsa.dev/provenance/v0.2';

/** Each TaskRun of a run: of a matrix, one for each combination. */
export function taskRunsOf(outcome: PipelineRunOutcome): TaskOutcome[] {
  return outcome.tasks.flatMap((task) => task.runs ?? [task]);
}

/** All images of a run: of its tasks and of its results, as Chains finds them with deep inspection. */
export function subjectsOf(outcome: PipelineRunOutcome): ImageResult[] {
  return unique([...taskRunsOf(outcome).map((task) => task.results), outcome.results].flatMap(imagesInResults));
}

/** Each image once. */
export function unique(images: readonly ImageResult[]): ImageResult[] {
  return [...new Map(images.map((image) => [formatReference(image), image])).values()];
}

/** Not Chains' own name: whoever reads this must see that a machine without a cluster made it, and may refuse it. */
export const LOCAL_BUILDER = 'https://tekton.dev/chains/v2#tekton-local';

/** An in-toto Statement v0.1 with SLSA provenance v0.2 of the whole run, as Chains' format `in-toto` writes it. */
export function provenanceOf(plan: Plan, outcome: PipelineRunOutcome, subjects: readonly ImageResult[]): object {
  const url = outcome.results['CHAINS-GIT_URL'];
  const commit = outcome.results['CHAINS-GIT_COMMIT'];
  const git =
    typeof url === 'string' && typeof commit === 'string'
      ? [{ uri: `git+${url.replace(/(\.git)?$/, '.git')}`, digest: { sha1: commit.trim() } }]
      : [];
  return {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: SLSA,
    subject: subjects.map(({ registry, repository, digest }) => ({
      name: `${registry}/${repository}`,
      digest: { sha256: digest.slice('sha256:'.length) },
    })),
    predicate: {
      builder: { id: LOCAL_BUILDER },
      buildType: 'tekton.dev/v1/PipelineRun',
      invocation: {
        configSource: {},
        parameters: plan.params,
        environment: { annotations: plan.run.annotations, labels: plan.run.labels },
      },
      buildConfig: {
        tasks: taskRunsOf(outcome)
          .filter((task) => task.startedAt !== undefined)
          .map((task) => taskOf(plan, task)),
      },
      metadata: {
        buildStartedOn: time(outcome.startedAt),
        buildFinishedOn: time(outcome.finishedAt),
        completeness: { parameters: false, environment: false, materials: false },
        reproducible: false,
      },
      materials: [...bundlesOf(plan), ...git],
    },
  };
}

function taskOf(plan: Plan, outcome: TaskOutcome): object {
  const task = [...plan.pipeline.tasks, ...plan.pipeline.finally].find(({ name }) => name === outcome.name);
  const after = plan.dependencies.get(outcome.name)?.all ?? [];
  const reference = task?.reference;
  return {
    name: outcome.name,
    ...(after.length > 0 ? { after } : {}),
    ref:
      reference?.kind === 'bundle'
        ? { resolver: 'bundles', params: listOf({ name: reference.name, bundle: reference.bundle, kind: 'task' }) }
        : reference?.kind === 'name'
          ? { name: reference.name, kind: 'Task' }
          : {},
    startedOn: time(outcome.startedAt ?? 0),
    finishedOn: time(outcome.finishedAt ?? 0),
    status: outcome.status,
    steps: outcome.steps.map((step) => ({
      entryPoint: '',
      arguments: null,
      environment: { container: step.name },
      annotations: null,
    })),
    invocation: { configSource: {}, parameters: outcome.params ?? {}, environment: {} },
    results: listOf(outcome.results).map((result) => ({ ...result, type: typeOf(result.value) })),
  };
}

function bundlesOf(plan: Plan): object[] {
  const bundles = [...plan.pipeline.tasks, ...plan.pipeline.finally].flatMap(({ reference }) =>
    reference.kind === 'bundle' ? [reference.bundle] : [],
  );
  return [...new Set(bundles)].flatMap((bundle) => {
    const [name, digest] = bundle.split('@sha256:');
    return digest === undefined ? [] : [{ uri: `oci://${name}`, digest: { sha256: digest } }];
  });
}

function listOf(values: Readonly<Record<string, ParamValue>>): { name: string; value: ParamValue }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
