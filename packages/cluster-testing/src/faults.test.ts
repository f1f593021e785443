import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { control, type RunningCluster } from './cluster.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';
import { inState, REGISTRY } from './place.ts';
import { startE2e } from './testing/e2e.ts';
import { makeNamespace } from './testing/namespace.ts';
import { type ServedChain, serveChain } from './testing/served-chain.ts';
import { thisCluster } from './testing/this-cluster.ts';

let cluster: RunningCluster;
let api: KubeApi;
let chain: ServedChain;
let key: readonly string[];

beforeAll(async () => {
  ({ cluster, api } = thisCluster());
  chain = await serveChain(cluster);
  key = ['--key', inState.publicKey(cluster.state)];
});
afterAll(() => api?.close());

async function start(name: string, ...more: readonly string[]) {
  await makeNamespace(api, name);
  // Where these tests were run on this cluster before.
  await api.ask('DELETE', `/apis/tekton.dev/v1/namespaces/${name}/pipelineruns`);
  while ((await list(name, 'taskruns')).length > 0) await sleep(200);
  return startE2e(cluster.state, chain, name, ...more);
}

async function list(namespace: string, plural: string, selector = ''): Promise<readonly KubeObject[]> {
  const path = `/apis/tekton.dev/v1/namespaces/${namespace}/${plural}?labelSelector=${encodeURIComponent(selector)}`;
  return ((await api.ask('GET', path)) as { items: readonly KubeObject[] }).items;
}

/** Waits for a TaskRun's pod that runs, and answers with the pod's name. */
async function runningPod(namespace: string, task: string): Promise<string> {
  for (;;) {
    const [run] = await list(namespace, 'taskruns', `tekton.dev/pipelineTask=${task}`).catch(() => []);
    const { podName, conditions = [] } = (run?.status ?? {}) as {
      podName?: string;
      conditions?: readonly { status: string; reason: string }[];
    };
    if (conditions.some(({ status }) => status !== 'Unknown')) throw new Error(`${task} has ended before`);
    if (podName && conditions.some(({ reason }) => reason === 'Running')) return podName;
    await sleep(200);
  }
}

/** The tags under which the chain of a run would be released. */
async function released(name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const image of ['multi-image-poc-image1', 'multi-image-poc-image2']) {
    const answer = await fetch(`http://${REGISTRY}/v2/${name}/${image}/tags/list`);
    const { tags } = (answer.ok ? await answer.json() : {}) as { tags?: readonly string[] | null };
    found.push(...(tags ?? []).filter((tag) => tag === 'latest').map((tag) => `${image}:${tag}`));
    // What Image 1 is called by its commit is sealed.
    if (image.endsWith('1')) found.push(...(tags ?? []).filter((tag) => tag === chain.revision));
  }
  return found;
}

test('two runs at once, one of them with its pods deleted, its controller killed and the API server away for 30 s', async () => {
  const calm = await start('calm', ...key);
  const disturbed = await start('disturbed', ...key);
  const pod = await runningPod('disturbed', 'clone-repository');
  await api.ask('DELETE', `/api/v1/namespaces/disturbed/pods/${pod}?gracePeriodSeconds=0`);
  await runningPod('disturbed', 'build-image-1');
  await control(cluster, 'stop tekton-controller SIGKILL');
  await control(cluster, 'start tekton-controller');
  await runningPod('disturbed', 'build-image-2');
  await control(cluster, 'stop kube-apiserver SIGKILL');
  await sleep(30_000);
  await control(cluster, 'start kube-apiserver');
  for (const { output, report, exitCode } of await Promise.all([calm.ended, disturbed.ended])) {
    expect(statusOf(report), output).toEqual(ALL_WELL);
    expect(report?.level, output).toBe('attested');
    expect(exitCode).toBe(0);
  }
});

test('a run that is cancelled', async () => {
  const run = await start('cancelled', ...key);
  await runningPod('cancelled', 'build-image-1');
  for (const { metadata } of await list('cancelled', 'pipelineruns')) {
    const path = `/apis/tekton.dev/v1/namespaces/cancelled/pipelineruns/${metadata.name}`;
    await api.ask('PATCH', path, { spec: { status: 'Cancelled' } }, 'application/merge-patch+json');
  }
  const { output, report, exitCode } = await run.ended;
  expect(exitCode, output).toBe(1);
  // One criterion falls, by what was done; the others say that they could not be judged.
  expect(statusOf(report), output).toEqual({
    ...Object.fromEntries(Object.keys(ALL_WELL).map((id) => [id, 'skipped'])),
    'single-pipeline': 'failed',
  });
  for (const { id, evidence } of report?.criteria ?? []) {
    const said = evidence.filter(({ status }) => status !== 'passed').map(({ text }) => text);
    if (id === 'scanned-and-signed') expect(said).toContain('no signature was looked at');
    else expect(said, id).toContainEqual(expect.stringMatching(/app-on-push-\w+ was cancelled/));
  }
  expect(report?.criteria.find(({ id }) => id === 'single-pipeline')?.evidence).toContainEqual(
    expect.objectContaining({
      check: 'task',
      status: 'failed',
      found: expect.stringMatching(/PipelineRun "app-on-push-\w+" was cancelled/),
    }),
  );
  expect(report?.level).toBe('none');
  expect(await released('cancelled')).toEqual([]);
});

test('Chains does not run: what is waited for, and until when', async () => {
  await control(cluster, 'stop chains');
  try {
    const run = await start('unsigned', ...key, '--timeout', 'runs=150s', '--timeout', 'signed=10s');
    const { output, exitCode } = await run.ended;
    expect(exitCode, output).toBe(2);
    expect(output).toMatch(/extract-image-2 goes on, and said last: waiting .*SIGNATURE_MISSING/);
    expect(output).toContain('within 150 seconds; --timeout runs=');
  } finally {
    await control(cluster, 'start chains');
  }
});

test('a policy of the cluster refuses the runs', async () => {
  const metadata = { name: 'no-runs' };
  await api.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['tekton.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pipelineruns'] },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'refused' } },
      },
      validations: [{ expression: 'false', message: 'runs are frozen until Monday' }],
    },
  });
  await api.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'no-runs', validationActions: ['Deny'] },
  });
  // It is heeded some time after it is there.
  await sleep(3000);
  const { output, exitCode } = await (await start('refused', ...key)).ended;
  expect(exitCode, output).toBe(2);
  expect(output).toContain('runs are frozen until Monday');
  expect(await list('refused', 'pipelineruns')).toEqual([]);
});

test('Tekton’s webhook is away', async () => {
  await control(cluster, 'stop tekton-webhook');
  try {
    const { output, exitCode } = await (await start('webhook', ...key)).ended;
    expect(exitCode, output).toBeGreaterThan(0);
    expect(output).toMatch(/webhook/);
    expect(await list('webhook', 'pipelineruns')).toEqual([]);
  } finally {
    await control(cluster, 'start tekton-webhook');
  }
});

test('the registry’s disk is full', async () => {
  const folder = `${cluster.state}/registry`;
  const inside = (script: string): void => {
    execFileSync('nsenter', ['--mount', '--target', String(cluster.init), 'bash', '-ec', script], { stdio: 'pipe' });
  };
  await control(cluster, 'stop registry');
  // On a file system of its own, with room for what is there and no more.
  inside(`mkdir -p ${folder}-full
    mount -t tmpfs -o size=$(( $(du -sb ${folder} | cut -f1) + (8 << 20) )) tmpfs ${folder}-full
    cp -a ${folder}/. ${folder}-full
    head -c $(( $(df --output=avail -B1 ${folder}-full | tail -1) - 65536 )) /dev/zero >${folder}-full/filler
    mount --bind ${folder}-full ${folder}`);
  await control(cluster, 'start registry');
  try {
    const { output, exitCode } = await (await start('full', ...key)).ended;
    expect(exitCode, output).toBeGreaterThan(0);
    expect(output).toMatch(/no space left|\b50[037]\b/);
    expect(await released('full')).toEqual([]);
  } finally {
    await control(cluster, 'stop registry');
    inside(`umount ${folder}; umount ${folder}-full; rmdir ${folder}-full`);
    await control(cluster, 'start registry');
  }
});
