import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type FailingRegistry, startFailingRegistry } from '@multi-image/testing/failing-registry';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { makeFolder } from '@multi-image/testing/source';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTrustedArtifacts, useTrustedArtifact } from '../stand-ins/trusted-artifact.ts';
import { result, runStandIn, type StandInRun } from '../testing/stand-in.ts';
import { parseReference } from './reference.ts';
import { getManifest } from './registry-io.ts';

let registry: TestRegistry;
let failing: FailingRegistry;
let source: string;
let artifact: string;
/** Bases come into the image store of whoever runs the test. */
const pulled: string[] = [];

beforeAll(async () => {
  registry = await startTestRegistry();
  failing = await startFailingRegistry(registry.host);
  source = makeFolder({ Dockerfile: 'ARG BASE=scratch\nFROM $BASE\nCOPY a /a\n', a: 'x' });
  const options = { store: `${failing.host}/source:t`, folders: [{ name: 'S', folder: source }], timestamp: 1 };
  artifact = (await createTrustedArtifacts(options))[0] ?? '';
});

afterAll(async () => {
  await failing?.stop();
  await registry?.stop();
  for (const image of pulled) spawnSync('buildah', ['rmi', image]);
  if (source !== undefined) rmSync(source, { recursive: true, force: true });
});

function build(name: string, BUILD_ARGS: string[] = []): Promise<StandInRun> {
  const IMAGE = `${failing.host}/${name}:tag`;
  return runStandIn('buildah-oci-ta', { IMAGE, SOURCE_ARTIFACT: artifact, SOURCE_DATE_EPOCH: '1', BUILD_ARGS });
}

/** A registry that fails in passing is no reason to fail: here, each kind of request does once. */
it('builds, pulls, tags and indexes at a registry that fails now and then', async () => {
  const image = await build('image');
  const tags = { IMAGE_URL: result(image, 'IMAGE_URL'), IMAGE_DIGEST: result(image, 'IMAGE_DIGEST') };
  await runStandIn('apply-tags', { ...tags, ADDITIONAL_TAGS: ['latest'] });
  const base = `${failing.host}/image@${tags.IMAGE_DIGEST}`;
  pulled.push(base);
  const upon = await build('upon', [`BASE=${base}`]);
  const IMAGES = [result(image, 'IMAGE_REF'), result(upon, 'IMAGE_REF')];
  const index = await runStandIn('build-image-index', { IMAGE: `${failing.host}/index:1`, IMAGES });
  const pushed = await getManifest(parseReference(`${registry.host}/index:1`));
  const { manifests } = JSON.parse(new TextDecoder().decode(pushed.bytes)) as { manifests: { digest: string }[] };
  expect(manifests.map(({ digest }) => digest)).toEqual([tags.IMAGE_DIGEST, result(upon, 'IMAGE_DIGEST')]);
  expect(result(index, 'IMAGE_URL')).toBe(`${failing.host}/index:1`);
  expect(failing.failed).toEqual(
    expect.arrayContaining(['HEAD image blobs', 'PUT image manifests', 'GET image blobs', 'PUT index manifests']),
  );
}, 60_000);

it('fetches an artifact at the second try, whole', async () => {
  const into = makeFolder({});
  try {
    await useTrustedArtifact(artifact, join(into, 'source'));
    expect(failing.failed).toContain('GET source blobs');
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
});
