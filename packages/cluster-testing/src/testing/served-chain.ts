import { execFileSync } from 'node:child_process';
import { appendFileSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNodeBase } from '@multi-image/tekton-local';
import { commitAll } from '@multi-image/testing/source';
import type { RunningCluster } from '../cluster.ts';
import { GIT, inState, REGISTRY } from '../place.ts';

/** The root of this repository. */
export const repository: string = fileURLToPath(new URL('../../../..', import.meta.url));

/** A clone of this repository that the cluster fetches from and whose Containerfiles start from a base that it has. */
export interface ServedChain {
  readonly folder: string;
  readonly gitUrl: string;
  readonly revision: string;
}

/**
 * Serves what is committed here to the cluster. The pinned base of the images can't be pulled everywhere: they start from
 * this machine's Node, in the cluster's registry.
 */
export async function serveChain({ state }: RunningCluster): Promise<ServedChain> {
  const base = `${REGISTRY}/base/node:24`;
  const node = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
  execFileSync('buildah', ['push', '--quiet', '--tls-verify=false', node, `docker://${base}`], { stdio: 'pipe' });
  const folder = join(inState.git(state), 'chain');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(inState.git(state), { recursive: true });
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', repository, folder], { stdio: 'pipe' });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  appendFileSync(join(folder, '.git/info/exclude'), 'node_modules\n');
  for (const file of globSync('{image[12],examples/*/*}/Containerfile', { cwd: folder })) {
    const text = readFileSync(join(folder, file), 'utf8');
    writeFileSync(join(folder, file), text.replace(/^ARG BASE_IMAGE=.*$/m, `ARG BASE_IMAGE=${base}`));
  }
  return { folder, gitUrl: `${GIT}/chain`, revision: commitAll(folder) };
}
