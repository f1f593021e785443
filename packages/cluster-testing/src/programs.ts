import { fileURLToPath } from 'node:url';
import { reasonOf } from '@multi-image/kit/errors';
import { buildGo, type GoBuild, goBuilt, goVersion, STATIC } from '@multi-image/testing/go-build';
import { ClusterTestingError } from './errors.ts';
import type { Extent } from './place.ts';

/** The cache of this package, of which anything may be removed at any time. */
export const CACHE = 'multi-image-cluster';

const TEKTON = 'github.com/tektoncd/pipeline';
const CHAINS = 'github.com/tektoncd/chains';

/** As in go/kubernetes/go.mod: what the API server says its version is, which clients read. */
const KUBERNETES_VERSION = 'v1.34.4';

function build(name: string, source: string, linker: readonly string[], packages: readonly string[]): GoBuild {
  return {
    program: CACHE,
    name,
    source: fileURLToPath(new URL(`../go/${source}`, import.meta.url)),
    args: STATIC.args(linker, 'OUTPUT/', packages),
    env: STATIC.env,
  };
}

const version = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
const [, major = '', minor = ''] = /^v(\d+)\.(\d+)\./.exec(KUBERNETES_VERSION) ?? [];

const commands = (...names: string[]): string[] => names.map((name) => `${TEKTON}/cmd/${name}`);

const BUILDS = {
  kubernetes: build(
    'kubernetes',
    'kubernetes',
    [version('gitVersion', KUBERNETES_VERSION), version('gitMajor', major), version('gitMinor', minor)],
    ['.'],
  ),
  webhook: {
    ...build('tekton-webhook', 'tekton', [], commands('webhook')),
    files: [{ name: 'config', module: TEKTON, folder: 'config' }],
  },
  tekton: {
    ...build(
      'tekton',
      'tekton',
      [],
      commands('controller', 'entrypoint', 'nop', 'sidecarlogresults', 'workingdirinit'),
    ),
    files: [{ name: 'examples', module: TEKTON, folder: 'examples' }],
  },
  chains: {
    ...build('chains', 'chains', [], [`${CHAINS}/cmd/controller`]),
    files: [{ name: 'config', module: CHAINS, folder: 'config' }],
  },
} satisfies Record<string, GoBuild>;

/** The folders with the programs of Kubernetes, Tekton and Chains, and the YAML that they come with. */
export type Programs = Readonly<Record<keyof typeof BUILDS, string>>;

/** What is needed of them where no pod runs. */
const FOR_ADMISSION: readonly string[] = ['kubernetes', 'webhook'];

/**
 * Builds the programs that are not there: half an hour of processor time, once. Those that this extent does not need have
 * an empty path.
 *
 * @param onBuild Told before each.
 * @throws ClusterTestingError `MACHINE_UNFIT` where they can't be built.
 */
export function buildPrograms(extent: Extent, onBuild: (name: string) => void): Programs {
  const made = Object.entries(BUILDS).map(([name, one]) => {
    if (extent === 'admission' && !FOR_ADMISSION.includes(name)) return [name, ''];
    const there = goBuilt(one);
    if (there !== undefined) return [name, there];
    if (goVersion() === '') throw unbuilt(one, 'there is no Go on the PATH', 'https://go.dev/dl');
    onBuild(one.name);
    try {
      return [name, buildGo(one)];
    } catch (error) {
      throw unbuilt(one, reasonOf(error), 'what go said is above');
    }
  });
  return Object.fromEntries(made) as Programs;
}

function unbuilt({ name }: GoBuild, found: string, hint: string): ClusterTestingError {
  const expected = 'Go, and a module proxy that has the versions of go.mod';
  return new ClusterTestingError('MACHINE_UNFIT', `${name} can’t be built`, { expected, found, hint });
}
