import { KONFLUX } from '@multi-image/kit/konflux';
import { TEKTON } from '@multi-image/kit/tekton';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../report/report.ts';
import { buildWorld, REVISION, startTenant, type Tenant, type TenantWorld } from '../../testing/tenant.ts';
import { KINDS } from './api/resource.ts';
import { DEFAULT_TIMEOUTS } from './timeouts.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

const evidenceOf = (report: Report | undefined, status: string) =>
  report?.criteria.flatMap(({ evidence }) => evidence.filter((entry) => entry.status === status)) ?? [];

/** What a pruner leaves of runs: themselves, with the names of what they had. */
function pruneTasks(): void {
  const { store } = tenant.server;
  const tasks = store.all('TaskRun');
  for (const { metadata } of store.all('PipelineRun')) {
    const own = tasks.filter(({ metadata: { labels } }) => labels?.[TEKTON.pipelineRun] === metadata.name);
    store.change('PipelineRun', metadata.name, (object) => {
      object.status.childReferences = own.map((task) => ({
        ...KINDS.taskRun,
        name: task.metadata.name,
        pipelineTaskName: task.metadata.labels?.[TEKTON.pipelineTask],
      }));
    });
  }
  for (const { metadata } of tasks) store.delete('TaskRun', metadata.name);
}

describe('runs whose TaskRuns are gone', () => {
  test('what only those could say was not checked; what the bytes prove is', async () => {
    tenant = await startTenant(world);
    await tenant.run();
    pruneTasks();
    const report = await tenant.run({ commit: REVISION });
    expect(evidenceOf(report, 'failed')).toEqual([]);
    expect(report).toMatchObject({ status: 'passed', level: 'attested' });
    // Nobody knows how this tenant's images are run, pruned or not.
    const gaps = evidenceOf(report, 'skipped').filter(({ check }) => check !== 'not-run');
    expect(new Set(gaps.map(({ check }) => check))).toEqual(new Set(['built', 'build-args', 'extract', 'scan']));
    for (const { text } of gaps) expect(text).toMatch(/TaskRuns? (?:is|are) gone/);
    const passed = evidenceOf(report, 'passed').map(({ check }) => check);
    expect(passed).toEqual(expect.arrayContaining(['revision', 'unseal', 'sealed-from', 'env', 'proof/build-args']));
    // Nothing is made up for the report: a task that is gone has no results.
    for (const { tasks } of report?.runs ?? [])
      expect(tasks.map(({ status, results }) => [status, results])).toEqual(tasks.map(() => ['Pruned', {}]));
  });

  test('and whose images are gone, too: nothing is said of them but that', async () => {
    tenant = await startTenant(world);
    await tenant.run();
    pruneTasks();
    const other = 'f'.repeat(40);
    for (const { metadata } of tenant.server.store.all('PipelineRun')) {
      tenant.server.store.change('PipelineRun', metadata.name, (object) => {
        object.metadata.annotations[KONFLUX.commit] = other;
      });
    }
    // Of that commit there is no Snapshot either.
    const report = await tenant.run({ commit: other, timeouts: { ...DEFAULT_TIMEOUTS, snapshot: 500 } });
    expect(evidenceOf(report, 'failed').map(({ check }) => check)).toContain('published');
    expect(evidenceOf(report, 'failed').map(({ check }) => check)).not.toContain('revision');
    expect(evidenceOf(report, 'skipped').map(({ check }) => check)).toContain('revision');
  });
});

describe('a run that built nothing, where an earlier one published the commit', () => {
  test.each([
    ['CouldntGetPipeline', { runReason: { component: 'app', reason: 'CouldntGetPipeline', early: true } }],
    ['its first task fails', { failingTask: { component: 'app', task: 'clone-repository', log: 'no\n' } }],
  ])('%s: it fails, and nothing is said of bytes that were not compared', async (_, misfortunes) => {
    tenant = await startTenant(world, misfortunes);
    const report = await tenant.run();
    expect(report?.status).toBe('failed');
    const checks = evidenceOf(report, 'failed').map(({ check }) => check);
    // The one cause: what follows from it is not judged.
    expect(checks).toEqual(['task']);
    expect(JSON.stringify(report?.criteria)).not.toContain('other bytes');
  });
});

test('a commit all of whose runs are gone: what is published can still be proved', async () => {
  tenant = await startTenant(world);
  await tenant.run();
  for (const kind of ['TaskRun', 'PipelineRun']) {
    for (const { metadata } of tenant.server.store.all(kind)) tenant.server.store.delete(kind, metadata.name);
  }
  const running = tenant.run({ commit: REVISION, timeouts: { ...DEFAULT_TIMEOUTS, started: 1000 } });
  await expect(running).rejects.toMatchObject({
    code: 'WAIT_TIMEOUT',
    expected: expect.stringContaining('within 1 second'),
    hint: expect.stringMatching(`pruned: pnpm e2e verify quay.io/.*chain-image1:${REVISION} `),
  });
});
