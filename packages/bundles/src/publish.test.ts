import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BlobDescriptor,
  decodeJson,
  digestOf,
  isIndex,
  parseDigestReference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import { bundledTasks, RUNNER_PROGRAM, readPins } from '@multi-image/manifests';
import { policyFiles } from '@multi-image/policy';
import { ONES, ZERO } from '@multi-image/testing/image';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushArtifact } from './artifact.ts';
import { checkBundle } from './check-bundle.ts';
import { type Published, publish } from './publish.ts';
import { readTektonBundle, type TektonObject, tektonBundle } from './tekton-bundle.ts';
import { pushBase } from './testing/base.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCE = { url: 'https://git.example/org/repo', revision: 'a'.repeat(40), committed: '2026-01-02T03:04:05Z' };
const PINS = readPins();

interface Manifest {
  readonly config: BlobDescriptor;
  readonly layers: readonly (BlobDescriptor & { readonly mediaType: string; readonly annotations?: object })[];
  readonly annotations: Readonly<Record<string, string>>;
}

const read = async (registry: Registry, reference: string): Promise<Manifest> => {
  const place = parseDigestReference(reference);
  return decodeJson((await registry.getManifest(place, place.digest)).bytes) as Manifest;
};

/** Publishes from a folder, into a registry of its own. */
async function publishFrom(root: string): Promise<{ registry: Registry; published: Published }> {
  const registry = memoryRegistry();
  const base = await pushBase(registry, 'base.example/node');
  const published = await publish(registry, { prefix: 'registry.example/org', root, source: SOURCE, base, pins: PINS });
  return { registry, published };
}

describe('what a commit publishes', () => {
  let folder: string;
  let here: Awaited<ReturnType<typeof publishFrom>>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bundles-'));
    here = await publishFrom(ROOT);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is the same byte for byte from another folder', async () => {
    const copy = join(folder, 'a', 'copy');
    mkdirSync(copy, { recursive: true });
    for (const part of ['packages/digest-chain', 'packages/kit']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true, verbatimSymlinks: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const there = await publishFrom(copy);
    expect(there.published).toEqual(here.published);
    for (const reference of [there.published.runner, there.published.tasks, there.published.policy]) {
      const place = parseDigestReference(reference);
      expect(place.tag).toBe(SOURCE.revision);
      expect(await there.registry.getManifest(place, SOURCE.revision)).toEqual(
        await here.registry.getManifest(place, place.digest),
      );
    }
  });

  it('changes with the commit', async () => {
    const registry = memoryRegistry();
    const base = await pushBase(registry, 'base.example/node');
    const source = { ...SOURCE, revision: 'b'.repeat(40) };
    const other = await publish(registry, { prefix: 'registry.example/org', root: ROOT, source, base, pins: PINS });
    expect(parseDigestReference(other.runner).digest).not.toBe(parseDigestReference(here.published.runner).digest);
  });

  it('runs digest-chain out of one layer on top of the base, for each platform of it', async () => {
    const { registry, published } = here;
    const place = parseDigestReference(published.runner);
    const index = await registry.getManifest(place, place.digest);
    expect(isIndex(index.mediaType)).toBe(true);
    const { manifests } = decodeJson(index.bytes) as { manifests: (BlobDescriptor & { platform: object })[] };
    expect(manifests.map(({ platform }) => platform)).toEqual([
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
    ]);
    const manifest = await read(registry, `registry.example/org/chain-runner@${manifests[0]?.digest}`);
    const config = decodeJson(await registry.getBlob(place, manifest.config));
    expect(config).toMatchObject({
      config: {
        Env: ['PATH=/usr/bin'],
        Entrypoint: ['node', RUNNER_PROGRAM],
        User: '1001',
        Labels: { name: 'base', 'org.opencontainers.image.revision': SOURCE.revision },
      },
      rootfs: { diff_ids: [manifest.layers[1]?.digest] },
    });
    expect((config as { config: object }).config).not.toHaveProperty('Cmd');
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.oci.image.layer.v1.tar+gzip',
      'application/vnd.oci.image.layer.v1.tar',
    ]);
    const layer = await registry.getBlob(place, manifest.layers[1] as BlobDescriptor);
    execFileSync('tar', ['-x', '-C', folder], { input: layer });
    const program = join(folder, RUNNER_PROGRAM);
    expect(execFileSync('node', [program, '--version'], { encoding: 'utf8' })).toMatch(/^digest-chain \d/);
    expect(execFileSync('node', [program, 'verify', '--help'], { encoding: 'utf8' })).toContain('verify');
  });

  it('has its tasks in a bundle that reads back as they were rendered, and passes the check', async () => {
    const { registry, published } = here;
    const tasks = await checkBundle(registry, published.tasks, published.runner);
    const names = tasks.map(({ metadata }) => metadata.name);
    expect(names).toEqual(['extract-image', 'label-image', 'link-image', 'resolve-image', 'verify-chain']);
    expect(tasks).toEqual(
      bundledTasks(published.runner, PINS).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
    );
    const { layers, annotations } = await read(registry, published.tasks);
    expect(layers.map((layer) => layer.annotations)).toEqual(
      names.map((name) => ({
        'dev.tekton.image.apiVersion': 'v1',
        'dev.tekton.image.kind': 'task',
        'dev.tekton.image.name': name,
      })),
    );
    expect(annotations['org.opencontainers.image.version']).toBe('0.1');
    // What no commit that is judged can change, is not in its source.
    expect(JSON.stringify(tasks)).not.toMatch(/SOURCE_ARTIFACT|workdir\/source/);
  });

  it('has the policy as Conforma pulls it: a layer for each file, by its name', async () => {
    const { registry, published } = here;
    const { layers } = await read(registry, published.policy);
    expect(layers.map((layer) => layer.annotations)).toEqual(
      policyFiles().map(({ path }) => ({ 'org.opencontainers.image.title': path })),
    );
    expect(layers.map(({ digest }) => digest)).toEqual(policyFiles().map(({ bytes }) => digestOf(bytes)));
  });

  it('is trusted by the repository of its tasks, in versions that have the same params', () => {
    expect(here.published.ruleData).toBe(`trusted_task_rules_enabled: true
trusted_task_rules:
  allow:
    multi-image:
      - pattern: oci://registry.example/org/chain-tasks
        versions:
          - ">=0.1"
          - <0.2
`);
  });

  describe('is refused', () => {
    const pushed = async (objects: readonly object[], change: (text: string) => string = (text) => text) => {
      const registry = memoryRegistry();
      const place = parseDigestReference(`registry.example/x@${ZERO}`);
      const bundle = tektonBundle(objects as TektonObject[], '0.1', SOURCE);
      const bytes = Buffer.from(change(Buffer.from(bundle.manifest.bytes).toString()));
      const digest = await pushArtifact(registry, place, 'x', { ...bundle, manifest: { ...bundle.manifest, bytes } });
      return { registry, reference: `registry.example/x@${digest}` };
    };
    const runner = `registry.example/runner@${ONES}`;
    const code = (expected: string): unknown => expect.objectContaining({ code: expected });

    it('by tag alone', async () => {
      const { registry } = here;
      await expect(checkBundle(registry, 'registry.example/x:1', runner)).rejects.toThrow(code('BUNDLE_NOT_PINNED'));
      await expect(checkBundle(registry, here.published.tasks, 'a.b/c:1')).rejects.toThrow(code('BUNDLE_NOT_PINNED'));
    });

    it('with another runner than the one that is pinned, and with steps by tag', async () => {
      const { registry, reference } = await pushed(bundledTasks(`registry.example/runner@${ZERO}`, PINS));
      await expect(checkBundle(registry, reference, runner)).rejects.toThrow(code('RUNNER_NOT_PINNED'));
      const tagged = await pushed(bundledTasks('registry.example/runner:1', PINS));
      await expect(checkBundle(tagged.registry, tagged.reference, runner)).rejects.toThrow(code('BUNDLE_NOT_PINNED'));
    });

    it.each([
      ['no annotations', (text: string) => text.replace(/dev.tekton.image.kind/, 'x')],
      ['a kind in upper case', (text: string) => text.replace('"task"', '"Task"')],
      ['a kind in the plural', (text: string) => text.replace('"task"', '"tasks"')],
      ['another name than the object has', (text: string) => text.replace('"label-image"', '"other"')],
      ['no layers', (text: string) => text.replace(/"layers":\[.*\],"annotations"/, '"layers":[],"annotations"')],
    ])('with %s', async (_, change) => {
      const [task] = bundledTasks(runner, PINS);
      const { registry, reference } = await pushed([task as TektonObject], change);
      await expect(readTektonBundle(registry, parseDigestReference(reference))).rejects.toThrow(code('BUNDLE_INVALID'));
    });
  });
});
