import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPins } from '@multi-image/manifests';
import { buildNodeBase, probeContainers } from '@multi-image/tekton-local';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import {
  buildLocalTaskRunner,
  type LocalTaskRunner,
  lackingForTaskRunner,
} from '@multi-image/testing/local-task-runner';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliFolder, type CliRun, makeCliFolder } from '../../../testing/cli-run.ts';
import { findGitDaemon, serveGit } from '../../../testing/git-server.ts';
import { writeKubeConfig } from '../../../testing/kube/login.ts';
import { KubeServer } from '../../../testing/kube/server.ts';
import { TektonController } from '../../../testing/tekton-controller.ts';
import { NODE_BASE } from '../../local/base-image.ts';
import { KINDS } from '../api/resource.ts';

const daemon = findGitDaemon();
const lacking = [...lackingForTaskRunner(), ...(daemon === undefined ? ['git daemon'] : [])];
const title = `the chain on a cluster with Tekton${lacking.length > 0 ? ` (skipped: no ${lacking.join(', ')})` : ''}`;

describe.skipIf(lacking.length > 0)(title, () => {
  let bench: CliFolder;
  let images: TestRegistry;
  let git: Awaited<ReturnType<typeof serveGit>>;
  let runner: LocalTaskRunner;
  let checkout: string;
  let revision: string;
  let base: string;
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

  beforeAll(async () => {
    bench = await makeCliFolder();
    images = await startTestRegistry();
    runner = await buildLocalTaskRunner();
    base = await buildNodeBase({ tag: NODE_BASE });
    const there = `${images.host}/base/node:24`;
    execFileSync('buildah', ['push', '--tls-verify=false', base, `docker://${there}`], { stdio: 'pipe' });
    checkout = await bench.clone('source');
    // The pinned base can't be pulled everywhere; what is built on it is the same.
    for (const image of ['image1', 'image2']) {
      const file = join(checkout, image, 'Containerfile');
      await writeFile(file, (await readFile(file, 'utf8')).replace(/^ARG BASE_IMAGE=.*$/m, `ARG BASE_IMAGE=${there}`));
    }
    const commit = [
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@localhost',
      'commit',
      '--quiet',
      '--all',
      '--message=base',
    ];
    execFileSync('git', commit, { cwd: checkout });
    revision = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: checkout, encoding: 'utf8' }).trim();
    git = await serveGit(daemon ?? '', checkout);
    await writeFile(join(bench.folder, 'cosign.pub'), publicKey);
  });
  afterAll(async () => {
    await git?.stop();
    await images?.stop();
    await bench?.remove();
  });

  /** A cluster of a test's own. */
  async function cluster<T>(name: string, work: (at: { server: KubeServer; e2e: E2e }) => Promise<T>): Promise<T> {
    const server = new KubeServer();
    const folder = join(bench.folder, name);
    await mkdir(folder);
    const kubeconfig = await writeKubeConfig(join(folder, 'kubeconfig'), await server.start());
    server.store.put({ ...KINDS.serviceAccount, metadata: { name: 'default' } });
    const pins = readPins(join(checkout, 'packages/manifests/pins.yaml'));
    const controller = new TektonController(server, {
      folder,
      containers: await probeContainers(),
      images: {
        [pins.images.node]: base,
        ...('image' in runner ? { [pins.images['task-runner']]: runner.image } : {}),
      },
      chainsKey: privateKey,
    });
    const state = join(folder, 'state.json');
    const e2e: E2e = (...args) =>
      bench.e2e(checkout, '--target', 'tekton', '--kubeconfig', kubeconfig, '--state', state, ...args);
    try {
      return await work({ server, e2e });
    } finally {
      await controller.stop();
      await server.stop();
    }
  }
  type E2e = (...args: string[]) => Promise<CliRun>;
  /** What the cluster calls 127.0.0.1 is localhost here. */
  const where = (path: string): string[] => [
    ...['--registry', `${images.host}/${path}`, '--registry-here', images.host.replace('127.0.0.1', 'localhost')],
    ...['--git-url', git.url, '--timeout', '4m'],
  ];

  test('is built by stand-ins in one run, extracted, run and proved attested', async () => {
    await cluster('whole', async ({ server, e2e }) => {
      const key = ['--key', join(bench.folder, 'cosign.pub')];
      const { exitCode, output, report } = await e2e(...where('whole'), '--stand-ins', '--plain-http', ...key);
      expect(output).toContain(`commit     ${revision}`);
      expect(statusOf(report), output).toEqual(ALL_WELL);
      expect(exitCode).toBe(0);
      expect(report).toMatchObject({ target: 'tekton', revision, cluster: { namespace: 'my-tenant' } });
      const signed = report?.criteria.flatMap(({ evidence }) => evidence).filter(({ check }) => check === 'signed');
      expect(signed?.map(({ status }) => status)).toEqual(['passed', 'passed']);
      const told = report?.criteria[1]?.evidence.filter(({ check }) => check === 'build-args');
      expect(told?.map(({ status }) => status)).toEqual(['passed']);
      // Nothing but the PipelineRuns was made.
      const made = server.calls.filter(
        ({ method, path, query }) => method !== 'GET' && !path.endsWith('accessreviews') && !query.has('dryRun'),
      );
      expect(made.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
        'POST pipelineruns',
        'POST pipelineruns',
      ]);
    });
  });
});
