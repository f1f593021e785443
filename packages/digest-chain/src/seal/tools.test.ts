import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startTestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeFolder } from '../../../kit/src/remove-folder.ts';
import { type Digest, digestOf, parseDigest } from '../digest.ts';
import { BUNDLE, METADATA, sealAndRestore, sealOne } from '../testing/sealed-image.ts';
import type { Image } from './manifest.ts';

/** Images as the field's tools write them: each is sealed and restored byte for byte. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  mkdirSync(join(folder, 'content'));
  writeFileSync(join(folder, 'content', 'hello'), 'hello\n');
  execFileSync('tar', ['-cf', join(folder, 'layer.tar'), '-C', join(folder, 'content'), 'hello']);
});
afterAll(() => removeFolder(folder));

const store = (): string[] => [
  '--root',
  join(folder, 'root'),
  '--runroot',
  join(folder, 'run'),
  '--storage-driver',
  'vfs',
];
const at = (...path: string[]): string => join(folder, ...path);

/** The images of an OCI image layout (image-spec, image-layout.md). */
function readLayout(layout: string): Image[] {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  return manifests.map((descriptor: { digest: string; mediaType: string }) => {
    const bytes = readFileSync(blob(layout, parseDigest(descriptor.digest)));
    const config = readFileSync(blob(layout, JSON.parse(bytes.toString()).config.digest));
    return { manifest: { bytes, mediaType: descriptor.mediaType, digest: digestOf(bytes) }, config };
  });
}

function blob(layout: string, digest: Digest): string {
  return join(layout, 'blobs', ...digest.split(':'));
}

function expectRestored(images: readonly Image[], count: number): void {
  expect(images).toHaveLength(count);
  for (const image of images) {
    const sealed = sealAndRestore(image, [METADATA, BUNDLE]);
    expect(sealOne(sealed, [METADATA, BUNDLE])).toEqual(sealed);
  }
}

function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

describe('an image made by', () => {
  it.each([
    ['without labels', 'FROM scratch\nCOPY hello /\n'],
    [
      'with much in it',
      'FROM scratch\nENV A="<&>\u00e4\u2028" B=C\nLABEL "x y"="<\\"&>"\nCMD ["/hello"]\nUSER 1000:1000\nVOLUME /data\n',
    ],
    ['with nothing in it', 'FROM scratch\n'],
  ])('buildah, %s', (name, containerfile) => {
    const recipe = at('Containerfile');
    writeFileSync(recipe, containerfile);
    const layout = at(`buildah ${name}`);
    const bud = ['bud', '--isolation', 'chroot', '-q', '-f', recipe, '-t', 'localhost/buildah', at('content')];
    execFileSync('buildah', [...store(), ...bud]);
    execFileSync('buildah', [...store(), 'push', '-q', 'localhost/buildah', `oci:${layout}`]);
    expectRestored(readLayout(layout), 1);
  });

  it('podman, from a tarball', () => {
    const change = ['--change', 'LABEL a=b', '--change', 'ENV c=d', '--message', 'a "message" <&>'];
    execFileSync('podman', [...store(), 'import', '-q', ...change, at('layer.tar'), 'localhost/podman'], {
      stdio: 'pipe',
    });
    execFileSync('podman', [...store(), 'push', '-q', 'localhost/podman', `oci:${at('podman')}`]);
    expectRestored(readLayout(at('podman')), 1);
  });

  it.skipIf(!isInstalled('umoci'))('umoci', () => {
    const layout = at('umoci');
    execFileSync('umoci', ['init', '--layout', layout]);
    execFileSync('umoci', ['new', '--image', `${layout}:empty`]);
    const config = ['--config.label', 'a=b', '--config.label', 'c="<&>', '--config.env', 'D=E', '--tag', 'labelled'];
    execFileSync('umoci', ['config', '--image', `${layout}:empty`, ...config]);
    expectRestored(readLayout(layout), 2);
  });

  it.skipIf(!isInstalled('crane'))('crane', async () => {
    const registry = await startTestRegistry();
    try {
      const image = `${registry.host}/crane/image:1`;
      for (const oci of [[], ['--oci-empty-base']]) {
        execFileSync('crane', ['append', ...oci, '-f', at('layer.tar'), '-t', image], { stdio: 'pipe' });
        execFileSync('crane', ['mutate', image, '--label', 'a=<&>', '-t', image], { stdio: 'pipe' });
        const bytes = execFileSync('crane', ['manifest', image]);
        const config = execFileSync('crane', ['config', image]);
        const { mediaType } = JSON.parse(bytes.toString());
        const layout: Image = { manifest: { bytes, mediaType, digest: digestOf(bytes) }, config };
        expectRestored([layout], 1);
      }
    } finally {
      await registry.stop();
    }
  });
});
