import { describe, expect, it } from 'vitest';
import { TektonLocalError } from '../errors.ts';
import { planOf } from '../testing/compare.ts';

// Two tasks of Konflux' catalog that nothing stands for: they work in a workspace that other steps fill.

const bundleOf = (name: string): string => `quay.io/konflux-ci/tekton-catalog/task-${name}:0.1`;

describe.each(['git-clone', 'tkn-bundle-oci-ta'])('a pipeline with %s', (name) => {
  it('is refused by that name, with what can stand for it', () => {
    const params = Object.entries({ name, bundle: bundleOf(name), kind: 'task' }).map(([key, value]) => ({
      name: key,
      value,
    }));
    const run = {
      apiVersion: 'tekton.dev/v1',
      kind: 'PipelineRun',
      metadata: { name: 'run' },
      spec: { pipelineSpec: { tasks: [{ name: 'first', taskRef: { resolver: 'bundles', params } }] } },
    };
    let said: unknown;
    try {
      planOf(JSON.stringify(run));
    } catch (error) {
      said = error instanceof TektonLocalError ? error.problems : error;
    }
    const bundle = bundleOf(name);
    const instead = `--task ${name}=FILE, --skip ${name}, or --resolve ${bundle.replace(/:[\d.]+$/, '')}=FOLDER`;
    expect(said).toMatchObject([
      {
        code: 'UNSUPPORTED',
        path: 'spec.pipelineSpec.tasks[0].taskRef',
        message: `nothing is fetched, and nothing was given for the Task "${name}" of ${bundle}: ${instead}`,
      },
    ]);
  });
});
