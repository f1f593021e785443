import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Digest, parseDigest } from '@multi-image/digest-chain/oci';
import { makeScratch } from './scratch.ts';

const run = promisify(execFile);

export interface BuildOptions {
  readonly format?: 'oci' | 'docker';
  /** Makes an index with an image for each. */
  readonly platforms?: readonly string[];
}

/** Builds and pushes real images with buildah, in a store of its own that leaves nothing behind. */
export interface Builder {
  /** Builds a Containerfile and pushes it; returns the digest that the registry has. */
  build(reference: string, containerfile: string, options?: BuildOptions): Promise<Digest>;
  /** The folder in which images are built. */
  readonly folder: string;
  remove(): Promise<void>;
}

export async function createBuilder(): Promise<Builder> {
  const { folder, remove } = makeScratch('builder');
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const context = join(folder, 'context');
  await mkdir(context);
  await writeFile(join(context, 'hello'), 'hello\n');
  return {
    folder,
    async build(reference, containerfile, { format = 'oci', platforms = [] } = {}) {
      const recipe = join(folder, 'Containerfile');
      await writeFile(recipe, containerfile);
      const bud = ['bud', '--isolation', 'chroot', '--tls-verify=false', '--format', format, '--timestamp', '0'];
      const name = platforms.length > 0 ? ['--platform', platforms.join(','), '--manifest'] : ['-t'];
      await run('buildah', [...store, ...bud, '-q', '-f', recipe, ...name, reference, context]);
      const digestFile = join(folder, 'digest');
      const kind =
        platforms.length > 0 ? ['manifest', 'push', '--all', '--format', format === 'oci' ? 'oci' : 'v2s2'] : ['push'];
      const push = [...kind, '-q', '--tls-verify=false', '--digestfile', digestFile];
      await run('buildah', [...store, ...push, reference, `docker://${reference}`]);
      return parseDigest((await readFile(digestFile, 'utf8')).trim());
    },
    remove,
  };
}
