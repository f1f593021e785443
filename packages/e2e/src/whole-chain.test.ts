import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '@multi-image/manifests';
import { LOCAL_BUILDER, runPipeline } from '@multi-image/tekton-local';
import { ALL_WELL, statusOf } from '@multi-image/testing/criteria';
import {
  buildLocalTaskRunner,
  type LocalTaskRunner,
  lackingForTaskRunner,
} from '@multi-image/testing/local-task-runner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Report } from './report/report.ts';
import { chooseBaseImage } from './targets/local/base-image.ts';
import { type CliFolder, type CliRun, makeCliFolder, repository } from './testing/cli-run.ts';
import { findGitDaemon, serveGit } from './testing/git-server.ts';

const daemon = findGitDaemon();
const lacking = [...lackingForTaskRunner(), ...(daemon === undefined ? ['git-daemon'] : [])];

const title = lacking.length === 0 ? 'verify-chain' : `verify-chain: this machine has no ${lacking.join(', ')}`;

let bench: CliFolder;
let checkout: string;
let kept: CliRun;
let removal = '';

beforeAll(async () => {
  bench = await makeCliFolder();
  checkout = await bench.clone('whole');
});
afterAll(async () => {
  if (removal !== '') execFileSync('sh', ['-c', removal]);
  await bench?.remove();
});

describe('the whole chain on this machine', () => {
  let first: Report | undefined;

  test('passes, proves what it claims, and leaves nothing behind', async () => {
    const { exitCode, output, report } = await bench.e2e(checkout);
    expect(output).toContain('5 passed, 0 failed, 1 skipped of 6 criteria');
    expect(exitCode).toBe(0);
    expect(statusOf(report)).toEqual(ALL_WELL);
    expect(await bench.leftovers()).toEqual([]);
    first = report;
  });

  test('gives the same digests, run after run', async () => {
    kept = await bench.e2e(checkout, '--keep');
    removal = /to remove it: (.*)$/m.exec(kept.output)?.[1] ?? '';
    const { report } = kept;
    // Each run signs with a key of its own.
    const unsigned = (images: Report['images'] = []) => images.map(({ signature: _, ...image }) => image);
    expect(unsigned(report?.images)).toEqual(unsigned(first?.images));
    for (const image of report?.images ?? []) expect(image.latestDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

/** The pipeline of the IntegrationTestScenario, on what that run published; its images are of this machine. */
describe.skipIf(lacking.length > 0)(title, () => {
  let report: Report | undefined;
  let runner: LocalTaskRunner;
  let git: { url: string; stop(): Promise<void> };
  let images: Record<string, string>;
  /** As the config has it, which is what a Snapshot of a push names. */
  let source: string;

  beforeAll(async () => {
    report = kept.report;
    runner = await buildLocalTaskRunner();
    git = await serveGit(daemon ?? '', checkout);
    const pipeline = await readFile(join(checkout, 'pipeline/verify-chain.yaml'), 'utf8');
    const pinned = /image: (\S*\/task-runner:\S+)/.exec(pipeline)?.[1] ?? '';
    const config = await loadConfig(join(checkout, 'konflux.config.ts'));
    source = config.chain.gitUrl;
    const { substitutes } = await chooseBaseImage(checkout, config);
    images = { ...substitutes, [pinned]: 'image' in runner ? runner.image : '' };
  });

  afterAll(async () => {
    await git?.stop();
  });

  /** Runs it as the integration service does: with the scenario's params and a Snapshot; answers with TEST_OUTPUT. */
  async function verify(
    app: string,
    scanner: string,
    more: Record<string, string | string[]> = {},
    labels: Record<string, string> = {},
  ): Promise<{ [key: string]: unknown }> {
    const [scenario] = parseAllDocuments(await readFile(join(checkout, 'konflux/integration-tests.yaml'), 'utf8')).map(
      (document) => document.toJS(),
    );
    const built = { url: scenario.spec.resolverRef.params[0].value, revision: report?.revision };
    const snapshot = {
      application: scenario.spec.application,
      components: [
        { name: 'app', containerImage: app, source: { git: built } },
        { name: 'metadata-scanner', containerImage: scanner, source: { git: built } },
      ],
      artifacts: {},
    };
    const params = [
      { name: 'SNAPSHOT', value: JSON.stringify(snapshot) },
      { name: 'git-url', value: git.url },
      // The clone's branch is whatever this repository is on.
      { name: 'revision', value: 'HEAD' },
      ...Object.entries(more).map(([name, value]) => ({ name, value })),
    ];
    const run = {
      apiVersion: 'tekton.dev/v1',
      kind: 'PipelineRun',
      metadata: {
        name: scenario.metadata.name,
        labels,
        annotations: { 'pipelinesascode.tekton.dev/pipeline': 'pipeline/verify-chain.yaml' },
      },
      spec: { pipelineRef: { name: 'verify-chain' }, params },
    };
    await writeFile(join(checkout, 'verify-run.yaml'), JSON.stringify(run));
    const logs: string[] = [];
    const outcome = await runPipeline({
      root: checkout,
      file: 'verify-run.yaml',
      images,
      workDir: join(bench.folder, 'work'),
      onEvent: (event) => logs.push(JSON.stringify(event)),
    });
    expect(outcome.status, logs.join('\n')).toBe('Succeeded');
    return JSON.parse(String(outcome.results.TEST_OUTPUT));
  }

  const at = (index: number, digest?: string | null) => `${report?.images[index]?.repository}@${digest}`;
  const published = () => ({
    app: at(0, report?.images[0]?.sealedDigest),
    scanner: at(1, report?.images[1]?.originDigest),
  });

  test('a chain that is whole is a success', async () => {
    const { app, scanner } = published();
    expect(await verify(app, scanner)).toEqual({
      result: 'SUCCESS',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      note: `the chain of 2 images of ${report?.revision} is linked (no public key says who built it)`,
      successes: 1,
      failures: 0,
      warnings: 1,
    });
  });

  /** As where the config names the key; who signed here does not call itself Chains. */
  const key = (from = source, builder: string[] = [`--builder-id=${LOCAL_BUILDER}`]) => ({
    'public-key': report?.publicKeys[0] ?? '',
    demands: ['--key=env://PUBLIC_KEY', `--source=${from}`, ...builder],
  });

  test('with a key, a chain that the build system attests is a success, and says so', async () => {
    const { app, scanner } = published();
    expect(await verify(app, scanner, key())).toMatchObject({
      result: 'SUCCESS',
      note: `the chain of 2 images of ${report?.revision} is attested by the build system`,
      warnings: 0,
    });
    expect(await verify(app, scanner, key(source, []))).toMatchObject({ result: 'FAILURE', failures: 1 });
    expect(await verify(app, scanner, key('https://example.com/elsewhere'))).toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('app was built from another repository'),
    });
  });

  test('with a key, a pair that somebody else sealed is a failure, whole as it is', async () => {
    const { scanner } = published();
    const [role, origin] = ['metadata', at(0, report?.images[0]?.originDigest)];
    const digestFile = join(bench.folder, 'by-hand');
    const cli = join(repository, 'packages/digest-chain/src/cli.ts');
    const name = at(0).replace(/@.*$/, '');
    const args = ['seal', `--result-digest=${digestFile}`, '--pipeline-run=by-hand', '--', origin];
    // As the pipeline seals, but for the tag that the label names.
    const other = `${scanner.split('@')[0]}:by-hand@${scanner.split('@')[1]}`;
    execFileSync(process.execPath, [cli, ...args, `${role}=${other}`], { stdio: 'pipe' });
    const forged = `${name}@${await readFile(digestFile, 'utf8')}`;
    expect(await verify(forged, scanner)).toMatchObject({ result: 'SUCCESS', warnings: 1 });
    expect(await verify(forged, scanner, key())).toMatchObject({
      result: 'FAILURE',
      note: expect.stringContaining('VERIFICATION_FAILED'),
    });
  });

  test('with the metadata image of another build it is a failure', async () => {
    const { app, scanner } = published();
    const [name, digest] = scanner.split('@');
    // The same image in another format is another digest, as that of another build would be.
    const other = `${name}:another-build`;
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    execFileSync('skopeo', ['copy', '--quiet', ...tls, '--format=v2s2', `docker://${scanner}`, `docker://${other}`]);
    const found = execFileSync('skopeo', ['inspect', '--tls-verify=false', `docker://${other}`], { encoding: 'utf8' });
    const { Digest } = JSON.parse(found);
    const mixed = `${name}@${Digest}`;
    expect(await verify(app, mixed)).toMatchObject({
      result: 'FAILURE',
      failures: 1,
      note: `SNAPSHOT_MIXED: metadata-scanner is of another build than app (expected metadata: ${digest}, as app's chain has it; found ${Digest})`,
    });
    // As that of a component by itself it is not released, and has whatever was promoted before.
    const own = { 'test.appstudio.openshift.io/type': 'component', 'appstudio.openshift.io/component': 'app' };
    expect(await verify(app, mixed, {}, own)).toMatchObject({
      result: 'SUCCESS',
      note: expect.stringContaining('not released'),
    });
  });

  test('an image whose link leads to one that does not embed it is a failure', async () => {
    const { scanner } = published();
    const origin = at(0, report?.images[0]?.originDigest);
    const digestFile = join(bench.folder, 'digest');
    const cli = join(repository, 'packages/digest-chain/src/cli.ts');
    // Image 1 itself holds no digest.
    const args = ['seal', '--no-check', `--result-digest=${digestFile}`, '--', origin, `metadata=${origin}`];
    execFileSync(process.execPath, [cli, ...args], { stdio: 'pipe' });
    const broken = at(0, await readFile(digestFile, 'utf8'));
    expect(broken).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(await verify(broken, scanner)).toMatchObject({
      result: 'FAILURE',
      failures: 1,
      note: expect.stringContaining('VERIFICATION_FAILED'),
    });
  });
});

test('--keep leaves the registry, and says how to look and how to remove it', async () => {
  const { exitCode, report } = kept;
  expect(exitCode).toBe(0);
  const { repository: name, revisionTag, sealedDigest } = report?.images[0] ?? {};
  const inspect = ['inspect', '--tls-verify=false', `docker://${name}:${revisionTag}`];
  const { Digest, Labels } = JSON.parse(execFileSync('skopeo', inspect, { encoding: 'utf8' }));
  execFileSync('sh', ['-c', removal]);
  removal = '';
  expect(Digest).toBe(sealedDigest);
  expect(Labels['io.konflux.poc.metadata-image.digest']).toBe(report?.images[1]?.originDigest);
  expect(await bench.leftovers()).toEqual([]);
});
