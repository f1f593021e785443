import { join, resolve } from 'node:path';
import { loadConfig, retarget } from '@multi-image/manifests';
import { embeddedPipelineRunSchema } from '@multi-image/testing/tekton-schema';
import { findHomeless } from '@multi-image/testing/wiring-rules';
import { beforeAll, describe, expect, test } from 'vitest';
import { field, list, type Resource, text } from '../api/resource.ts';
import { assemble, bundlesOf } from './pipeline-runs.ts';

const repository = resolve(import.meta.dirname, '../../../../../..');
const CONFIGS = ['examples/operator-bundle-catalog', 'examples/app-sidecar', 'examples/multi-arch'];

async function runsOf(
  folder: string,
  options: { standIns: boolean; plainHttp: boolean },
): Promise<readonly Resource[]> {
  const config = await loadConfig(join(repository, folder, 'konflux.config.ts'));
  const where = { registry: 'registry.svc:5000/here', gitUrl: 'https://git.example/it', namespace: 'here' };
  const identity = { invocation: 'abc123', revision: 'c0ffee', serviceAccount: 'builder' };
  return assemble(retarget(config.chain, where), config, { ...identity, ...options });
}

describe.each(CONFIGS)('the runs of %s', (folder) => {
  let bundled: readonly Resource[];
  let standing: readonly Resource[];
  beforeAll(async () => {
    bundled = await runsOf(folder, { standIns: false, plainHttp: false });
    standing = await runsOf(folder, { standIns: true, plainHttp: true });
  });

  test('are what Tekton takes, by themselves', () => {
    for (const run of [...bundled, ...standing]) {
      expect(embeddedPipelineRunSchema.safeParse(run).error?.issues).toBeUndefined();
      expect(JSON.stringify(run)).not.toMatch(/\{\{|git_auth_secret|pipelineRef|your-/);
      expect(field(run, 'spec', 'taskRunTemplate')).toEqual({ serviceAccountName: 'builder' });
    }
  });

  test('leave credentials where each step finds them', () => {
    for (const task of [...bundled, ...standing].flatMap((run) => list(run, 'spec', 'pipelineSpec', 'tasks'))) {
      expect(findHomeless(list(task, 'taskSpec', 'steps') as Parameters<typeof findHomeless>[0])).toEqual([]);
    }
  });

  test('take the catalog’s tasks from their bundles, or none at all', () => {
    expect(bundlesOf(bundled).length).toBeGreaterThan(5);
    expect(bundlesOf(bundled).every((bundle) => /@sha256:[0-9a-f]{64}$/.test(bundle))).toBe(true);
    expect(bundlesOf(standing)).toEqual([]);
    for (const task of standing.flatMap((run) => list(run, 'spec', 'pipelineSpec', 'tasks'))) {
      expect(field(task, 'taskRef')).toBeUndefined();
      // What a pipeline gives to a task, the task must know.
      const known = list(task, 'taskSpec', 'params').map((param) => text(param, 'name'));
      for (const given of list(task, 'params')) expect(known).toContain(text(given, 'name'));
    }
  });

  test('need no registry for images that the nodes have', () => {
    for (const task of standing.flatMap((run) => list(run, 'spec', 'pipelineSpec', 'tasks'))) {
      const bare = list(task, 'taskSpec', 'steps').filter(
        (step) => list(step, 'command').length === 0 && text(step, 'script') === undefined,
      );
      expect(bare).toEqual([]);
      const latest = list(task, 'taskSpec', 'steps').filter((step) => /:latest@/.test(text(step, 'image') ?? ''));
      expect(latest.filter((step) => text(step, 'imagePullPolicy') !== 'IfNotPresent')).toEqual([]);
    }
  });

  test('tell every step how a registry without TLS is reached, and only where it has none', () => {
    expect(JSON.stringify(bundled)).not.toContain('plain-http');
    for (const task of standing.flatMap((run) => list(run, 'spec', 'pipelineSpec', 'tasks'))) {
      expect(list(task, 'taskSpec', 'stepTemplate', 'env')).toContainEqual({ name: 'PLAIN_HTTP', value: 'true' });
      for (const step of list(task, 'taskSpec', 'steps')) {
        const command = list(step, 'command');
        if (command.at(-1) !== '/var/workdir/source/packages/digest-chain/src/cli.ts') continue;
        expect(list(step, 'args')[1]).toMatch(/^--plain-http-at=[^/]+$/);
      }
    }
  });
});
