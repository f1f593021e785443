import { readFile, writeFile } from 'node:fs/promises';
import { KONFLUX } from '@multi-image/kit/konflux';
import { HeldClock } from '@multi-image/testing/clock';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../report/report.ts';
import type { Misfortunes } from '../../../testing/kube/konflux.ts';
import {
  buildWorld,
  REVISION,
  startTenant,
  type Tenant,
  type TenantWorld,
  writeRepository,
} from '../../../testing/tenant.ts';
import { until } from '../../../testing/until.ts';
import { KINDS, OPTIONAL_KINDS } from '../api/resource.ts';
import { DEFAULT_TIMEOUTS } from '../timeouts.ts';

let world: TenantWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await buildWorld();
});
afterAll(() => world.stop());
afterEach(() => tenant.stop());

async function start(misfortunes: Misfortunes = {}): Promise<Tenant> {
  tenant = await startTenant(world, misfortunes);
  return tenant;
}

const statusOf = (report: Report | undefined) =>
  Object.fromEntries(report?.criteria.map(({ id, status }) => [id, status]) ?? []);
const fallen = (report: Report | undefined) =>
  report?.criteria.flatMap(({ evidence }) =>
    evidence.filter(({ status }) => status === 'failed').map(({ check }) => check),
  );

test('applies, builds, follows, and proves it attested with the cluster’s key', async () => {
  const report = await (await start()).run();
  const others = report?.criteria.flatMap(({ evidence }) => evidence.filter(({ status }) => status !== 'passed'));
  // The images of this tenant are manifests alone, of which nobody knows how they are run.
  expect(others?.map(({ check, status }) => [check, status])).toEqual([
    ['not-run', 'skipped'],
    ['not-run', 'skipped'],
  ]);
  expect(report).toMatchObject({ target: 'tenant', status: 'passed', revision: REVISION });
  expect(report?.images.map(({ sealedDigest, latestDigest }) => [sealedDigest, latestDigest])).toEqual([
    [world.chain.sealed, world.chain.sealed],
    [null, world.chain.metadata],
  ]);
  const snapshots = report?.cluster?.snapshots ?? [];
  expect(snapshots).toEqual([expect.any(String), expect.any(String), expect.stringMatching(/^chain-c0ffee0{6}-/)]);
  // The chain's own is the only one that Konflux would release.
  const held = snapshots.map(
    (name) => tenant.server.store.get('Snapshot', name)?.metadata.labels?.[KONFLUX.autoRelease],
  );
  expect(held).toEqual(['false', 'false', undefined]);
  expect(texts(report, 'chain-snapshot')).toEqual([
    `the chain's Snapshot ${snapshots[2]} has app: ${world.chain.sealed}`,
    `the chain's Snapshot ${snapshots[2]} has scanner: ${world.chain.metadata}`,
  ]);
  expect(texts(report, 'release')).toEqual([expect.stringContaining('no ReleasePlan of the application')]);
  expect(tenant.konflux.requests.toSorted()).toEqual([
    'app configure-pac-no-mr',
    'app trigger-pac-build',
    'scanner configure-pac-no-mr',
    'scanner trigger-pac-build',
  ]);
});

const texts = (report: Report | undefined, check: string) =>
  report?.criteria.flatMap(({ evidence }) => evidence.flatMap((each) => (each.check === check ? [each.text] : [])));

describe('where there is a ReleasePlan', () => {
  const plan = (name: string, labels: Record<string, string> = {}, annotations: Record<string, string> = {}) =>
    tenant.server.store.put({
      ...OPTIONAL_KINDS.releasePlan,
      metadata: { name, labels, annotations },
      spec: { application: 'chain', target: 'managed' },
    });

  test('the run follows the chain’s Snapshot to its Release', async () => {
    await start();
    plan('to-production');
    plan('by-hand', { [KONFLUX.autoRelease]: 'false' });
    const report = await tenant.run();
    expect(report?.status).toBe('passed');
    const [, , snapshot] = report?.cluster?.snapshots ?? [];
    expect(texts(report, 'release')).toEqual([
      `ReleasePlan to-production released Snapshot ${snapshot} as ${snapshot}-abcde`,
    ]);
  });

  test('whose expression says no, or which a newer Snapshot overtook, no Release is waited for', async () => {
    await start();
    // Konflux asks the expression, whatever the label says.
    plan('by-expression', { [KONFLUX.autoRelease]: 'false' }, { [KONFLUX.autoRelease]: 'true' });
    plan('of-others', {}, { [KONFLUX.autoRelease]: 'false' });
    const report = await tenant.run();
    const [, , snapshot] = report?.cluster?.snapshots ?? [];
    expect(texts(report, 'release')).toEqual([
      `ReleasePlan by-expression released Snapshot ${snapshot} as ${snapshot}-abcde`,
      `ReleasePlan of-others made no Release of Snapshot ${snapshot}: The Snapshot was auto-released`,
    ]);
    expect(report?.status).toBe('passed');
    await tenant.stop();
    await start({ notReleased: 'Released in newer Snapshot' });
    plan('to-production');
    expect(texts(await tenant.run(), 'release')).toEqual([
      expect.stringMatching(/^ReleasePlan to-production made no Release of .*: Released in newer Snapshot$/),
    ]);
  });

  test('of a Snapshot that is held back no Release is waited for, and what is wrong with a plan is told', async () => {
    await start();
    plan('to-production');
    const { store } = tenant.server;
    const stop = store.onEvent(({ object: { kind, metadata } }) => {
      if (kind !== 'Snapshot' || metadata.labels?.[KONFLUX.snapshotType] !== undefined) return;
      stop();
      store.change('Snapshot', metadata.name, ({ metadata: { labels } }) => {
        labels[KONFLUX.autoRelease] = 'false';
      });
    });
    expect(texts(await tenant.run(), 'release')).toEqual([expect.stringContaining('it is held back')]);
    await tenant.stop();
    await start({ brokenPlan: 'Failed to get all ReleasePlans: no such key: nothing' });
    plan('to-production');
    const report = await tenant.run({ timeouts: { ...DEFAULT_TIMEOUTS, released: 300 } });
    const [release] =
      report?.criteria.flatMap(({ evidence }) => evidence.filter(({ check }) => check === 'release')) ?? [];
    expect(release).toMatchObject({ status: 'failed', found: 'Failed to get all ReleasePlans: no such key: nothing' });
  });

  const isWatched = (): boolean =>
    tenant.server.calls.some(({ path, query }) => path.endsWith('/releases') && query.has('watch'));

  test.each([
    [
      'it is not valid',
      { invalid: 'no author in the ReleasePlan found for automated release' },
      /-abcde: Failed: Release validation failed: Validated: no author in the ReleasePlan found for automated release$/,
    ],
    [
      'its pipeline failed',
      { log: `${'a line\n'.repeat(400)}no access to registry.redhat.io\n` },
      /tenant pipelineRun: TenantPipelineProcessed \(PipelineRun my-tenant\/tenant-6ccjj\): …\n(a line\n){11}no access to registry\.redhat\.io$/,
    ],
    [
      'its pipeline elsewhere failed',
      { pipeline: 'managed', log: 'no access' },
      /managed pipelineRun: ManagedPipelineProcessed \(PipelineRun managed\/managed-6ccjj, task push-images, step push: Error\)$/,
    ],
    [
      'somebody deleted it',
      { deleted: () => until(isWatched) },
      /-abcde: gone: it was deleted while it was under way$/,
    ],
  ] as const)('of a Release that fails it is said why: %s', async (_, release, found) => {
    await start({ release });
    plan('to-production');
    const report = await tenant.run();
    const evidence = report?.criteria.flatMap((each) => each.evidence.filter(({ check }) => check === 'release'));
    expect(evidence).toMatchObject([{ status: 'failed', found: expect.stringMatching(found) }]);
  });

  test('what would keep it from releasing is said before anything is built', async () => {
    await start();
    const { store } = tenant.server;
    const matched = (status: string, name: string | undefined, active: boolean | undefined) => ({
      conditions: [{ type: 'Matched', status, reason: 'Matched', message: '' }],
      releasePlanAdmission: { name, active },
    });
    const put = (name: string, status: object, labels: Record<string, string> = { [KONFLUX.author]: 'me' }) =>
      store.put({
        ...OPTIONAL_KINDS.releasePlan,
        metadata: { name, labels },
        spec: { application: 'chain', target: 'managed' },
        status,
      });
    put('good', matched('True', 'managed/one', true));
    put('of-nobody', matched('True', 'managed/one', true), {});
    put('unmatched', matched('False', undefined, undefined));
    put('blocked', matched('True', 'managed/two', undefined));
    put('by-hand', matched('False', undefined, undefined), { [KONFLUX.autoRelease]: 'false' });
    await tenant.run({ dryRun: true });
    const notes = tenant.output().match(/^.*ReleasePlan.*$/gm);
    expect(notes).toEqual([
      expect.stringMatching(/ReleasePlan blocked .*ReleasePlanAdmission managed\/two.*block-releases/),
      expect.stringMatching(/ReleasePlan of-nobody .*no author.*standing-attribution=true makes you/),
      expect.stringMatching(/ReleasePlan unmatched .*managed/),
    ]);
  });

  test('of a Release that is gone when it is looked for nothing is said', async () => {
    await start();
    plan('to-production');
    plan('of-others', {}, { [KONFLUX.autoRelease]: 'false' });
    const [, , snapshot] = (await tenant.run())?.cluster?.snapshots ?? [];
    tenant.server.store.delete('Release', `${snapshot}-abcde`);
    const report = await tenant.run({ resume: true });
    expect(texts(report, 'release')).toEqual([
      `ReleasePlan of-others made no Release of Snapshot ${snapshot}: The Snapshot was auto-released`,
      `there is no Release of Snapshot ${snapshot} by ReleasePlan to-production: it is gone, or the plan came later`,
    ]);
    expect(statusOf(report)['scanned-and-signed']).toBe('skipped');
  });

  test('a Release that was made again counts in place of the one that failed', async () => {
    await start({ release: { log: 'no access' } });
    plan('to-production');
    const [, , snapshot = ''] = (await tenant.run())?.cluster?.snapshots ?? [];
    tenant.server.store.put({
      ...OPTIONAL_KINDS.release,
      metadata: { name: 'a-second-one', creationTimestamp: new Date(Date.now() + 5000).toISOString() },
      spec: { releasePlan: 'to-production', snapshot },
      status: { conditions: [{ type: 'Released', status: 'True', reason: 'Succeeded', message: '' }] },
    });
    expect(texts(await tenant.run({ resume: true }), 'release')).toEqual([
      `ReleasePlan to-production released Snapshot ${snapshot} as a-second-one`,
    ]);
  });

  test.each(['list releaseplans', 'list releases', 'watch releases'])(
    'who may not %s has that skipped',
    async (verb) => {
      await start({ release: { deleted: () => new Promise(() => {}) } });
      plan('to-production');
      tenant.server.denied.add(verb);
      const report = await tenant.run();
      expect(report?.criteria.find(({ id }) => id === 'scanned-and-signed')?.status).toBe('skipped');
      expect(texts(report, 'release')).toEqual([expect.stringMatching(/^you may not list Release(Plan)?s here$/)]);
    },
  );
});

test('a tenant whose Konflux makes no image repositories, with ones of one’s own', async () => {
  await start();
  // The controller that makes them is an add-on, and their kind comes with it.
  tenant.server.absent.add('ImageRepository');
  tenant.server.store.put({ ...KINDS.secret, metadata: { name: 'chain-push' } });
  const config = await writeRepository(`${world.folder}/own-only`, 'my-tenant', { imageRepositories: 'own' });
  expect((await tenant.run({ config }))?.status).toBe('passed');
  // Who wants some is told so.
  await expect(tenant.run()).rejects.toMatchObject({
    code: 'PREFLIGHT_FAILED',
    found: expect.stringMatching(/no ImageRepository \(.*\)\s+→ .*imageRepositories: 'own'/),
  });
});

test('who may not make Roles is told what to send to an admin, and everything else goes on', async () => {
  await start();
  tenant.server.denied.add('create roles');
  expect((await tenant.run())?.status).toBe('passed');
  expect(tenant.output()).toContain('kubectl apply --server-side -n my-tenant -f konflux/release-access.yaml');
  expect(tenant.server.store.all('Role')).toEqual([]);
});

describe('where something falls, the criterion says what was expected and found', () => {
  test('a build that fails: the log of its step is there, the rest was skipped', async () => {
    const failingTask = {
      component: 'app',
      task: 'build-image-2',
      log: 'line 1\nerror: no such file: entrypoint.mts\n',
    };
    const report = await (await start({ failingTask })).run();
    expect(report?.status).toBe('failed');
    expect(statusOf(report)).toMatchObject({ 'single-pipeline': 'failed', 'no-manual-step': 'skipped' });
    const build = report?.runs.find(({ name }) => name.startsWith('app'));
    expect(build?.status).toBe('Failed');
    const task = build?.tasks.find(({ name }) => name === 'build-image-2');
    expect(task).toMatchObject({ status: 'Failed', logTail: ['line 1', 'error: no such file: entrypoint.mts'] });
    expect(build?.tasks.find(({ name }) => name === 'label-image-1')?.status).toBe('Skipped');
    expect(tenant.output()).toContain('error: no such file: entrypoint.mts');
  });

  test('a scanner that times out', async () => {
    const report = await (await start({ runReason: { component: 'scanner', reason: 'PipelineRunTimeout' } })).run();
    expect(statusOf(report)).toMatchObject({ 'single-pipeline': 'passed', 'scanner-extracts': 'failed' });
    expect(
      report?.criteria.flatMap(({ evidence }) => evidence).find(({ status }) => status === 'failed')?.found,
    ).toContain('PipelineRunTimeout');
  });

  test.each([
    ['Chains failed', { chains: 'failed' }, ['signed', 'signed'], 'failed'],
    [
      'Chains says nothing',
      { chains: 'silent' },
      ['snapshot', 'snapshot', 'signed', 'signed'],
      'no annotation in time',
    ],
    ['no Snapshot comes', { noSnapshot: true }, ['snapshot', 'snapshot'], 'none in time'],
    [
      'the integration test fails',
      { test: 'TestFail' },
      ['integration-test', 'integration-test', 'integration-test'],
      'TestFail',
    ],
    ['the chain’s Snapshot is not made', { maker: 'TestFail' }, ['chain-snapshot'], 'release-app: TestFail'],
    [
      'the scanner’s Snapshot has the old Image 2',
      { snapshotImage: `quay.io/acme/my-tenant/chain-image2@sha256:${'9'.repeat(64)}` },
      ['snapshot', 'chain-snapshot'],
      'release-app: TestFail',
    ],
  ] as const)('%s', async (_, misfortunes, checks, found) => {
    // What never comes is waited for as short as can be.
    const isSilent = 'chains' in misfortunes && misfortunes.chains === 'silent';
    const timeouts = {
      ...DEFAULT_TIMEOUTS,
      ...(isSilent ? { signed: 200 } : {}),
      ...(isSilent || 'noSnapshot' in misfortunes ? { snapshot: 200 } : {}),
    };
    const report = await (await start(misfortunes)).run({ timeouts });
    expect(fallen(report)).toEqual(checks);
    const evidence = report?.criteria.flatMap((entry) => entry.evidence).filter(({ status }) => status === 'failed');
    expect(evidence?.at(-1)?.found).toContain(found);
  });

  test('signed by another key than the cluster’s', async () => {
    const other = createSigner();
    const report = await (await start()).run({ keys: other.keys });
    expect(statusOf(report)['scanned-and-signed']).toBe('failed');
  });
});

describe('where the run can’t be made', () => {
  test('preflight names everything at once, and changes nothing', async () => {
    await start();
    const { server } = tenant;
    server.denied.add('patch components').add('watch taskruns').add('create applications');
    server.secretData.delete('tekton-pipelines/public-key');
    const error = await tenant.run().catch((caught) => caught);
    expect(error).toMatchObject({ code: 'PREFLIGHT_FAILED' });
    for (const part of [
      'patch components',
      'watch taskruns.tekton.dev',
      'create applications',
      'public key',
      'kubectl auth can-i',
    ]) {
      expect(error.found).toContain(part);
    }
    expect(server.calls.filter(({ method }) => method === 'PATCH' || method === 'DELETE')).toEqual([]);
  });

  test('a tenant without Konflux', async () => {
    await start();
    tenant.server.absent.add('appstudio.redhat.com/v1alpha1').add('appstudio.redhat.com/v1beta2');
    const error = await tenant.run().catch((caught) => caught);
    expect(error).toMatchObject({ code: 'PREFLIGHT_FAILED' });
    expect(error.found).toContain('no Component');
    expect(error.found).toContain('no Konflux tenant');
  });

  test('placeholders that are left, and files that are not as the config says', async () => {
    await start();
    const config = await writeRepository(`${world.folder}/placeholders`, 'your-tenant-namespace');
    await writeFile(`${world.folder}/placeholders/konflux/components.yaml`, 'kind: Component\n');
    const pipeline = `${world.folder}/placeholders/pipeline/unified-build.yaml`;
    const text = await readFile(pipeline, 'utf8');
    await writeFile(pipeline, text.replace(/(task-init):\S+/, `$1:0.9@sha256:${'9'.repeat(64)}`));
    const error = await tenant.run({ config }).catch((caught) => caught);
    expect(error.found).toContain('namespace is still a placeholder: your-tenant-namespace');
    expect(error.found).toContain('konflux/components.yaml is not as the config says');
    // A pin that a bot moved is taken over by the next rendering.
    expect(error.found).not.toContain('unified-build');
  });

  test('a secret that stays unlinked', async () => {
    await start({ unlinked: 'imagerepository-for-chain-scanner-image-push' });
    const clock = new HeldClock();
    const running = tenant.run({ clock }).catch((caught) => caught);
    const looks = (): number =>
      tenant.server.calls.filter(({ path }) => path.endsWith('/serviceaccounts/build-pipeline-scanner')).length;
    // Several looks by preflight and applying, all others to see whether it was linked meanwhile.
    await Promise.race([running, until(() => looks() > 12)]);
    clock.expire();
    const error = await running;
    expect(error).toMatchObject({ code: 'PREFLIGHT_FAILED' });
    expect(error.found).toContain(
      'build-pipeline-scanner is not linked to the secret imagerepository-for-chain-scanner-image-push',
    );
    // That file does not have it.
    expect(error.hint).toContain('kubectl patch serviceaccount build-pipeline-scanner -n my-tenant');
    expect(tenant.konflux.requests.filter((request) => request.includes('trigger'))).toEqual([]);
  });

  test('a secret that became common to all builds when their accounts were there already', async () => {
    await start();
    await tenant.run();
    const { store } = tenant.server;
    const name = 'imagerepository-for-chain-scanner-image-push';
    store.change('Secret', name, ({ metadata }) => {
      metadata.labels['build.appstudio.openshift.io/common-secret'] = 'true';
    });
    store.change('ServiceAccount', 'build-pipeline-app', (account) => {
      account.secrets = account.secrets.filter((entry: { name: string }) => entry.name !== name);
    });
    await expect(tenant.run({ commit: REVISION })).rejects.toMatchObject({
      code: 'PREFLIGHT_FAILED',
      found: expect.stringContaining(`build-pipeline-app is not linked to the secret ${name}`),
    });
  });

  test('a secret of one’s own that is missing, said once', async () => {
    await start();
    const config = await writeRepository(`${world.folder}/own`, 'my-tenant', { imageRepositories: 'own' });
    const error = await tenant.run({ config }).catch((caught) => caught);
    expect(error.found.match(/there is no secret chain-push/g)).toHaveLength(1);
  });

  test('a component that Konflux can’t configure', async () => {
    await start({ configureError: '74: Access token is unrecognizable by GitHub' });
    await expect(tenant.run()).rejects.toMatchObject({
      code: 'COMPONENT_NOT_CONFIGURED',
      found: expect.stringContaining('74:'),
    });
  });

  test('nobody answers, or the login is refused', async () => {
    await start();
    tenant.server.tokens.clear();
    await expect(tenant.run()).rejects.toMatchObject({ found: expect.stringContaining('401') });
    await tenant.server.stop();
    const error = await tenant.run().catch((caught) => caught);
    expect(error).toMatchObject({ code: 'PREFLIGHT_FAILED', found: expect.stringContaining('does not answer') });
    await tenant.stop().catch(() => {});
    await start();
  });

  test('no PipelineRun starts, or one does not end', async () => {
    await start();
    // What the tenant was never set up for is said first.
    await expect(tenant.run({ commit: REVISION })).rejects.toMatchObject({
      found: expect.stringContaining('not linked'),
    });
    await tenant.run();
    await expect(
      tenant.run({ commit: 'f'.repeat(40), timeouts: { ...DEFAULT_TIMEOUTS, started: 300 } }),
    ).rejects.toMatchObject({ code: 'WAIT_TIMEOUT', message: expect.stringContaining('single-pipeline') });
  });
});
