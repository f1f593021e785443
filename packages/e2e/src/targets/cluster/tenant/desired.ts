import { KONFLUX } from '@multi-image/kit/konflux';
import {
  findOtherRegistry,
  findPlaceholders,
  findRenderedDrift,
  type LoadedConfig,
  type RenderedFile,
  render,
} from '@multi-image/manifests';
import { loadAll } from 'js-yaml';
import type { Resource } from '../api/resource.ts';

const RELEASE_ACCESS = 'konflux/release-access.yaml';

const rendered = new WeakMap<LoadedConfig, readonly RenderedFile[]>();
const known = new WeakMap<LoadedConfig, readonly Resource[]>();

/** Everything that is rendered from the config: once, since every step of a run asks for some of it. */
function filesOf(config: LoadedConfig): readonly RenderedFile[] {
  const files = rendered.get(config) ?? render(config.chain, config.pins, config.folder);
  rendered.set(config, files);
  return files;
}

/** What `konflux/*.yaml` asks for, as rendered from the config, in the order in which it can be made. */
export function desiredObjects(config: LoadedConfig): readonly Resource[] {
  const objects = known.get(config) ?? renderObjects(config);
  known.set(config, objects);
  return objects;
}

/** What lets the pipeline make the chain's Snapshot: only an admin may apply it. */
export function releaseAccess(config: LoadedConfig): readonly Resource[] {
  return filesOf(config)
    .filter(({ path }) => path === RELEASE_ACCESS)
    .flatMap(documentsOf);
}

/** The image repositories that Konflux is to make for a component; none where its images are pushed elsewhere. */
export function repositoriesOf(config: LoadedConfig, component: string | undefined): readonly Resource[] {
  return desiredObjects(config).filter(
    ({ kind, metadata }) => kind === 'ImageRepository' && metadata.labels?.[KONFLUX.repositoryOf] === component,
  );
}

function renderObjects(config: LoadedConfig): readonly Resource[] {
  const objects = filesOf(config)
    .filter(({ path }) => path.startsWith('konflux/') && path !== RELEASE_ACCESS)
    .flatMap(documentsOf);
  const order = ['Application', 'Component', 'ImageRepository', 'ServiceAccount', 'IntegrationTestScenario'];
  return objects.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function documentsOf({ text }: RenderedFile): readonly Resource[] {
  return (loadAll(text) as (Resource | null)[]).filter((object) => object !== null);
}

/** Values that nobody has set yet, and files that are not what the config says: neither may reach a tenant. */
export function findUnfinished(config: LoadedConfig): string[] {
  const { chain } = config;
  const placeholders = findPlaceholders(chain).map(({ field, value }) => `${field} is still a placeholder: ${value}`);
  const drifted = findRenderedDrift(config).map(({ path, expected, found }) => {
    if (expected === 'no such file') return `${path} is no longer rendered`;
    return `${path} is ${found === 'no such file' ? 'missing' : 'not as the config says'}`;
  });
  const other = findOtherRegistry(chain);
  const elsewhere = `registry is ${chain.registry}, and Konflux makes the repositories in ${other}: below the namespace`;
  return [...placeholders, ...(other === undefined ? [] : [elsewhere]), ...drifted];
}
