import { execFileSync } from 'node:child_process';
import { buildNodeBase } from '@multi-image/tekton-local';

/** Gives the base image of this machine's Node, which is made once for all tests and runs, a name of a test's own. */
export async function nameNodeBase(tag: string): Promise<void> {
  const base = await buildNodeBase({ tag: 'localhost/multi-image/node-base:local' });
  execFileSync('buildah', ['tag', base, tag]);
}
