import { execFileSync, spawnSync } from 'node:child_process';
import type { PipelineRunOutcome } from '@multi-image/tekton-local';
import { type FailingRegistry, startFailingRegistry } from '@multi-image/testing/failing-registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { building, sourceFiles, wholePipeline } from '../testing/stand-ins/calls.ts';
import {
  lackingForStandIns,
  makeStandInBench,
  resultsOf,
  type StandInBench,
  type StandInCall,
} from '../testing/stand-ins/run.ts';
import { runScript } from '../testing/stand-ins/script.ts';

const lacking = lackingForStandIns();
const title = lacking.length === 0 ? 'stand-ins, run' : `stand-ins, run: this machine has no ${lacking.join(', ')}`;

type Where = 'in containers' | 'on this machine';

/** The digest of each image that {@link wholePipeline} makes, by where it was made. */
const digests = new Map<Where, Record<string, string>>();
const MAKES_IMAGES = ['build', 'build-amd64', 'build-arm64', 'index'];
const BEFORE_IMAGES = ['init', 'clone', 'prefetch'];

let bench: StandInBench;
/** Where tasks find the registry: what each first asks there fails in passing. Tests look at the registry itself. */
let failing: FailingRegistry;
let base: string;
let source: { url: string; commit: string };

beforeAll(async () => {
  if (lacking.length > 0) return;
  bench = await makeStandInBench();
  failing = await startFailingRegistry(bench.host);
  base = bench.base.replace(bench.host, failing.host);
  source = await bench.serve(sourceFiles(base, failing.host));
});

afterAll(async () => {
  await failing?.stop();
  // On this machine a build keeps its base.
  if (base !== undefined) spawnSync('buildah', ['rmi', '--force', base]);
  await bench?.stop();
});

/** The tasks themselves, against a real registry and a real git server. */
describe.skipIf(lacking.length > 0).each<Where>(['in containers', 'on this machine'])(`${title}, %s`, (where) => {
  let first: PipelineRunOutcome & { log: string };
  /** The images once more, and builds that look for the network. */
  let second: PipelineRunOutcome & { log: string };

  const run = (name: string, calls: readonly StandInCall[]) =>
    bench.run(name, calls, where === 'on this machine' ? { host: { fetchFrom: source.url } } : {});

  beforeAll(async () => {
    const { host } = failing;
    first = await run('first', wholePipeline({ host, source }, 'one'));
    const calls = wholePipeline({ host, source }, 'two');
    const making = calls.filter(({ name }) => [...BEFORE_IMAGES, ...MAKES_IMAGES].includes(name));
    const probe = { ...building(`${host}/test/probe:1`, 'image/with-network') };
    const undo = storeOtherwise(bench);
    try {
      second = await run('second', [
        ...making,
        { name: 'with', task: 'buildah-oci-ta', params: { ...probe, HERMETIC: 'false' }, runAfter: MAKES_IMAGES },
        { name: 'without', task: 'buildah-oci-ta', params: probe, runAfter: ['with'] },
      ]);
    } finally {
      undo();
    }
  });

  const inspect = (reference: string, ...options: string[]): string =>
    bench.skopeo(
      'inspect',
      '--tls-verify=false',
      ...options,
      `docker://${reference.replace(failing.host, bench.host)}`,
    );

  function manifest(reference: string): { [key: string]: unknown } {
    return JSON.parse(inspect(reference, '--raw'));
  }

  const digestOf = (reference: string): string => inspect(reference, '--format={{.Digest}}').trim();

  test('the source is the commit, and its results say so', () => {
    expect(resultsOf(first, 'clone')).toEqual({
      url: source.url,
      commit: source.commit,
      'short-commit': source.commit.slice(0, 7),
      'commit-timestamp': '1700000000',
      'CHAINS-GIT_URL': source.url,
      'CHAINS-GIT_COMMIT': source.commit,
      SOURCE_ARTIFACT: expect.stringMatching(`^oci:${failing.host}/test/image@sha256:[0-9a-f]{64}$`),
    });
    expect(resultsOf(first, 'init')).toEqual({ 'http-proxy': '', 'no-proxy': '' });
    expect(resultsOf(first, 'prefetch').CACHI2_ARTIFACT).toBe('');
  });

  test('the image is where its results say, with labels, annotations and arguments', () => {
    const results = resultsOf(first, 'build');
    const image = `${failing.host}/test/image`;
    const { IMAGE_DIGEST: digest = '' } = results;
    expect(results).toEqual({
      IMAGE_URL: `${image}:one`,
      IMAGE_DIGEST: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      IMAGE_REF: `${image}:one@${digest}`,
      SBOM_BLOB_URL: '',
    });
    for (const tag of ['one', `${first.name}-build`, 'latest', 'more-one'])
      expect(digestOf(`${image}:${tag}`)).toBe(digest);
    const config = JSON.parse(inspect(`${image}@${digest}`, '--config'));
    const date = '2023-11-14T22:13:20Z';
    expect(config.created).toBe(date);
    expect(config.config.Labels).toEqual({
      'of-base': 'yes',
      greeting: 'hello  `world` "$HOME"',
      'from-file': 'file',
      more: 'a=b',
      architecture: expect.any(String),
      'vcs-type': 'other',
      'vcs-ref': source.commit,
      'vcs-url': source.url,
      'build-date': date,
      'org.opencontainers.image.created': date,
      'org.opencontainers.image.revision': source.commit,
      'org.opencontainers.image.source': source.url,
      'quay.expires-after': '5d',
    });
    expect(manifest(`${image}@${digest}`).annotations).toMatchObject({
      note: 'yes',
      'org.opencontainers.image.base.name': base,
    });
  });

  test('the index lists both platforms, and is there under all its tags', () => {
    const results = resultsOf(first, 'index');
    const index = `${failing.host}/test/index`;
    const entries = manifest(`${index}:one`).manifests as { digest: string; platform: object }[];
    expect(entries.map(({ platform }) => platform)).toEqual([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ]);
    const children = ['amd64', 'arm64'].map((name) => resultsOf(first, `build-${name}`).IMAGE_DIGEST ?? '');
    expect(entries.map(({ digest }) => digest)).toEqual(children);
    // They were of another repository.
    for (const child of children) expect(manifest(`${index}@${child}`)).toHaveProperty('config');
    expect(results).toEqual({
      IMAGE_URL: `${index}:one`,
      IMAGE_DIGEST: expect.stringMatching(/^sha256:/),
      IMAGE_REF: `${index}@${results.IMAGE_DIGEST}`,
      IMAGES: children.map((child) => `${index}@${child}`).join(','),
      SBOM_BLOB_URL: '',
    });
    for (const tag of ['one', `${first.name}-index`, 'latest']) {
      expect(manifest(`${index}:${tag}`)).toEqual(manifest(`${index}@${results.IMAGE_DIGEST}`));
    }
  });

  test('no scan says that it found nothing', () => {
    for (const task of ['clair-scan', 'clamav-scan', 'rpms-signature-scan', 'deprecated']) {
      const { TEST_OUTPUT = '', IMAGES_PROCESSED = '', ...more } = resultsOf(first, task);
      expect(JSON.parse(TEST_OUTPUT)).toEqual({
        result: 'SKIPPED',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
        note: expect.stringMatching(/ was skipped: .+\.$/),
        namespace: expect.any(String),
        successes: 0,
        failures: 0,
        warnings: 0,
      });
      const { IMAGE_URL, IMAGE_DIGEST } = resultsOf(first, 'build');
      expect(JSON.parse(IMAGES_PROCESSED)).toEqual({ image: { pullspec: IMAGE_URL, digests: [IMAGE_DIGEST] } });
      for (const value of Object.values(more)) expect(value).toBe('{}');
    }
  });

  test('the same commit gives the same digests, here and there, whatever else this machine has stored', () => {
    for (const task of MAKES_IMAGES) {
      expect(resultsOf(second, task).IMAGE_DIGEST).toBe(resultsOf(first, task).IMAGE_DIGEST);
    }
    const { annotations } = manifest(`${failing.host}/test/image:two`);
    expect(annotations).toMatchObject({ 'org.opencontainers.image.base.digest': base.split('@')[1] });
    const made = MAKES_IMAGES.map((task) => [task, resultsOf(first, task).IMAGE_DIGEST ?? '']);
    digests.set(where, Object.fromEntries(made));
    for (const other of digests.values()) expect(other).toEqual(digests.get(where));
  });

  test('registries are reached without TLS only where PLAIN_HTTP says so', async () => {
    const { IMAGE_URL = '', IMAGE_DIGEST = '' } = resultsOf(first, 'build');
    // Nothing sets it here.
    const { output } = await runScript('clair-scan', { 'image-url': IMAGE_URL, 'image-digest': IMAGE_DIGEST });
    expect(output).toContain('server gave HTTP response to HTTPS client');
  });

  test('a build is hermetic only where it is asked to be', () => {
    resultsOf(second, 'with');
    expect(second.tasks.find(({ name }) => name === 'without')?.status).toBe('Failed');
    expect(second.log).toMatch(/^without: nc: can't connect to remote host .*unreachable/m);
  });

  // On this machine the tasks one by one: `local/registry-tasks.test.ts`.
  test.skipIf(where === 'on this machine')('a registry that fails in passing is asked again', () => {
    for (const { name } of first.tasks) resultsOf(first, name);
    for (const kind of ['GET base manifests', 'HEAD test/image blobs', 'PUT test/image manifests']) {
      expect(failing.failed).toContain(kind);
    }
    expect(first.log).toMatch(/^[\w-]+: This may pass: once more in [\d.]+ s\.$/m);
  });
});

/** Stores the base as another manifest of the same image, as this machine may have it from elsewhere; returns what undoes it. */
function storeOtherwise({ base, host, skopeo }: StandInBench): () => void {
  const other = `${host}/elsewhere:1`;
  const plain = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false'];
  skopeo('copy', ...plain, '--format=v2s2', `docker://${base.replace(/:1@/, '@')}`, `docker://${other}`);
  execFileSync('buildah', ['pull', '--quiet', '--tls-verify=false', other], { stdio: 'pipe' });
  return () => void spawnSync('buildah', ['rmi', '--force', other]);
}
