import { type PipelineRunOutcome, type TaskOutcome, taskRunsOf } from '../outcome.ts';
import { typeOf } from '../plan/parse-values.ts';
import type { Plan } from '../plan/plan.ts';
import { listOf, taskRefOf, time } from '../run/tekton-status.ts';
import type { ImageResult } from './image-results.ts';

export const SLSA = 'https://slsa.dev/provenance/v0.2';

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
        tasks: outcome.tasks
          .flatMap(taskRunsOf)
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
  return {
    name: outcome.name,
    after: after.length > 0 ? after : undefined,
    ref: taskRefOf(task) ?? {},
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
