import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { result, runStandIn, type StandInRun } from '../testing/stand-in.ts';
import { createTrustedArtifacts } from './trusted-artifact.ts';

const MISSING = `sha256:${'b'.repeat(64)}`;

let registry: TestRegistry;
let source: string;
let artifact: string;
let image: StandInRun;
let other: StandInRun;

async function build(repository: string, label: string): Promise<StandInRun> {
  const IMAGE = `${registry.host}/${repository}:tag`;
  const params = { IMAGE, SOURCE_ARTIFACT: artifact, SOURCE_DATE_EPOCH: '1', LABELS: [`which=${label}`] };
  return await runStandIn('buildah-oci-ta', params);
}

beforeAll(async () => {
  registry = await startTestRegistry();
  source = makeFolder({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'x' });
  const options = { store: `${registry.host}/org/source:t`, folders: [{ name: 'S', folder: source }], timestamp: 1 };
  artifact = (await createTrustedArtifacts(options))[0] ?? '';
  image = await build('org/image', 'one');
  other = await build('org/other', 'two');
});

afterAll(async () => {
  await registry?.stop();
  rmSync(source, { recursive: true, force: true });
});

function raw(reference: string): string {
  return execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`], {
    encoding: 'utf8',
  });
}

describe('apply-tags', () => {
  function apply(ADDITIONAL_TAGS: string[], IMAGE_DIGEST = result(image, 'IMAGE_DIGEST')): Promise<StandInRun> {
    return runStandIn('apply-tags', { IMAGE_URL: result(image, 'IMAGE_URL'), IMAGE_DIGEST, ADDITIONAL_TAGS });
  }

  it('puts the very manifest under each tag', async () => {
    expect((await apply(['latest', 'v1'])).results).toEqual({});
    const original = raw(result(image, 'IMAGE_URL'));
    for (const tag of ['latest', 'v1']) expect(raw(`${registry.host}/org/image:${tag}`)).toBe(original);
  });

  it('tags nothing when one tag is malformed, or the image is not there or not what its digest says', async () => {
    await expect(apply(['good', '../bad'])).rejects.toMatchObject({ code: 'INVALID' });
    await expect(apply(['good'], MISSING)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(apply(['good'], 'latest')).rejects.toMatchObject({ code: 'INVALID' });
    expect(() => raw(`${registry.host}/org/image:good`)).toThrow();
  });
});

describe('build-image-index', () => {
  function index(IMAGES: string[], more: Record<string, string> = {}): Promise<StandInRun> {
    return runStandIn('build-image-index', { IMAGE: `${registry.host}/org/image:index`, IMAGES, ...more });
  }

  it.each(['oci', 'docker'])('makes an index in format %s over images of any repository', async (BUILDAH_FORMAT) => {
    const run = await index([result(image, 'IMAGE_REF'), result(other, 'IMAGE_REF')], { BUILDAH_FORMAT });
    const manifest = JSON.parse(raw(result(run, 'IMAGE_URL')));
    const type = BUILDAH_FORMAT === 'oci' ? 'image.index.v1' : 'distribution.manifest.list.v2';
    expect(manifest.mediaType).toContain(type);
    const digests = [result(image, 'IMAGE_DIGEST'), result(other, 'IMAGE_DIGEST')];
    expect(manifest.manifests.map((entry: { digest: string }) => entry.digest)).toEqual(digests);
    expect(manifest.manifests[0].platform).toEqual({
      architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
      os: 'linux',
    });
    expect(result(run, 'IMAGES')).toBe(digests.map((digest) => `${registry.host}/org/image@${digest}`).join(','));
    expect(result(run, 'IMAGE_REF')).toBe(`${registry.host}/org/image@${result(run, 'IMAGE_DIGEST')}`);
    // All of it can be copied from the one repository.
    const target = makeFolder({});
    try {
      const copy = ['copy', '--quiet', '--all', '--src-tls-verify=false'];
      execFileSync('skopeo', [...copy, `docker://${result(run, 'IMAGE_REF')}`, `dir:${target}`], { stdio: 'pipe' });
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  it('hands on a single image where no index is asked for', async () => {
    const run = await index([result(image, 'IMAGE_REF')], { ALWAYS_BUILD_INDEX: 'false' });
    expect(run.results).toMatchObject({
      IMAGE_URL: result(image, 'IMAGE_URL'),
      IMAGE_DIGEST: result(image, 'IMAGE_DIGEST'),
    });
    const two = index([result(image, 'IMAGE_REF'), result(other, 'IMAGE_REF')], { ALWAYS_BUILD_INDEX: 'false' });
    await expect(two).rejects.toMatchObject({ code: 'INVALID' });
  });

  it('refuses an entry without digest, and one that is itself an index', async () => {
    await expect(index([result(image, 'IMAGE_URL')])).rejects.toMatchObject({ code: 'INVALID' });
    const nested = await index([result(image, 'IMAGE_REF')]);
    await expect(index([result(nested, 'IMAGE_REF')])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('the checks', () => {
  it.each(['clair-scan', 'clamav-scan', 'deprecated-image-check', 'rpms-signature-scan'])(
    '%s says SKIPPED',
    async (task) => {
      const [url, digest] =
        task === 'deprecated-image-check' ? ['IMAGE_URL', 'IMAGE_DIGEST'] : ['image-url', 'image-digest'];
      const params = { [url]: result(image, 'IMAGE_URL'), [digest]: result(image, 'IMAGE_DIGEST') };
      const run = await runStandIn(task, params);
      expect(JSON.parse(result(run, 'TEST_OUTPUT'))).toEqual({
        result: 'SKIPPED',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
        note: expect.stringContaining(task),
        namespace: expect.any(String),
        successes: 0,
        failures: 0,
        warnings: 0,
      });
      const processed = { image: { pullspec: result(image, 'IMAGE_URL'), digests: [result(image, 'IMAGE_DIGEST')] } };
      expect(JSON.parse(result(run, 'IMAGES_PROCESSED'))).toEqual(processed);
      await expect(runStandIn(task, { ...params, [digest]: MISSING })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );
});

it('push-dockerfile-oci-ta stores the Containerfile beside the image', async () => {
  const digest = result(image, 'IMAGE_DIGEST');
  const params = { IMAGE: result(image, 'IMAGE_URL'), IMAGE_DIGEST: digest, SOURCE_ARTIFACT: artifact };
  const run = await runStandIn('push-dockerfile-oci-ta', params);
  const tag = `${registry.host}/org/image:${digest.replace(':', '-')}.dockerfile`;
  const manifest = JSON.parse(raw(tag));
  expect(manifest.artifactType).toBe('application/vnd.konflux.dockerfile');
  expect(raw(result(run, 'IMAGE_REF'))).toBe(raw(tag));
  const url = `http://${registry.host}/v2/org/image/blobs/${manifest.layers[0].digest}`;
  expect(await (await fetch(url)).text()).toBe('FROM scratch\nCOPY a /a\n');
});

it('prefetch-dependencies-oci-ta hands the source on, and refuses what only Konflux can fetch', async () => {
  const params = { SOURCE_ARTIFACT: artifact, ociStorage: `${registry.host}/org/image:prefetch` };
  const run = await runStandIn('prefetch-dependencies-oci-ta', { ...params, input: '' });
  expect(run.results).toEqual({ SOURCE_ARTIFACT: artifact, CACHI2_ARTIFACT: '' });
  const npm = runStandIn('prefetch-dependencies-oci-ta', { ...params, input: '{"type": "npm"}' });
  await expect(npm).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

it('notices a manifest whose bytes are not those of its digest', async () => {
  const tampered = await build('org/tampered', 'three');
  writeFileSync(registry.blobFile(result(tampered, 'IMAGE_DIGEST')), raw(result(image, 'IMAGE_URL')));
  const params = { IMAGE_URL: result(tampered, 'IMAGE_URL'), IMAGE_DIGEST: result(tampered, 'IMAGE_DIGEST') };
  const run = runStandIn('apply-tags', { ...params, ADDITIONAL_TAGS: ['latest'] });
  await expect(run).rejects.toMatchObject({ code: expect.stringMatching(/DIGEST_MISMATCH|REGISTRY_FAILED/) });
});
