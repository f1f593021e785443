import { fileURLToPath } from 'node:url';
import { buildGo, type GoBuild, goVersion, STATIC } from '@multi-image/testing/go-build';

const RESOLVER: GoBuild = {
  program: 'multi-image-bundles',
  name: 'resolver',
  source: fileURLToPath(new URL('../../judge', import.meta.url)),
  args: STATIC.args([], 'OUTPUT', ['.']),
  env: STATIC.env,
};

/** Whether this machine can have Tekton's own resolver of bundles: it is built from its module. */
export const HAS_GO: boolean = goVersion() !== '';

/** The path of Tekton's own resolver of bundles, built where it is not there. */
export const buildResolver = (): string => buildGo(RESOLVER);

/** Before the tests: a cold build on a busy machine takes longer than a test may. */
export default function setup(): void {
  if (HAS_GO) buildResolver();
}
