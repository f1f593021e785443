import { KONFLUX } from '@multi-image/kit/konflux';
import type { Cluster } from '../api/cluster.ts';
import { field, KINDS, MADE_BY, MADE_BY_US, type Resource, text } from '../api/resource.ts';
import { buildStatus, requestOf } from './build-status.ts';

type Draft = { metadata: { labels?: Record<string, string>; annotations?: Record<string, string> } } & Resource;

/** What is to be applied of a desired object, given what is there: without what Konflux has done already. */
export async function adjust(cluster: Cluster, desired: Resource, current: Resource | undefined): Promise<Resource> {
  const object = structuredClone(desired) as Draft;
  // What is there already was made by somebody else, unless it says that it was made here.
  if (current === undefined || current.metadata.labels?.[MADE_BY] === MADE_BY_US) {
    object.metadata.labels = { ...object.metadata.labels, [MADE_BY]: MADE_BY_US };
  }
  if (current === undefined) return object;
  // Konflux takes a request away when it was carried out: to set it again would be to ask again.
  const request = requestOf(current);
  // One that it only waits with was not asked for: left to itself it opens a pull request with pipelines of its own.
  if (request !== undefined || buildStatus(current)?.state) setRequest(object, KONFLUX.request, request);
  if (object.kind === 'ImageRepository') {
    if (await isComponentUpdated(cluster, current))
      setRequest(object, KONFLUX.updateImage, current.metadata.annotations?.[KONFLUX.updateImage]);
    keepName(object, current);
  }
  return object;
}

/** Only what is asked for anyway is set as it is there, or left out. */
function setRequest({ metadata }: Draft, name: string, value: string | undefined): void {
  if (metadata.annotations?.[name] === undefined) return;
  if (value !== undefined) metadata.annotations[name] = value;
  else delete metadata.annotations[name];
  if (Object.keys(metadata.annotations).length === 0) delete metadata.annotations;
}

/** Whether the component has the repository's image already, which it gets by a request. */
async function isComponentUpdated(cluster: Cluster, repository: Resource): Promise<boolean> {
  const url = text(repository, 'status', 'image', 'url');
  const name = repository.metadata.labels?.[KONFLUX.repositoryOf];
  if (url === undefined || name === undefined) return false;
  const component = await cluster.read(KINDS.component, name, repository.metadata.namespace ?? '');
  return component !== undefined && repositoryOf(text(component, 'spec', 'containerImage') ?? '') === url;
}

/** Konflux writes the namespace in front of a name: without it, it is the same repository. */
function keepName(object: Draft, current: Resource): void {
  const { namespace } = object.metadata;
  const wanted = field(object, 'spec', 'image') as { name?: string } | undefined;
  const found = text(current, 'spec', 'image', 'name');
  if (wanted !== undefined && found !== undefined && wanted.name === `${namespace}/${found}`) wanted.name = found;
}

/** An image without its tag and digest. */
export function repositoryOf(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
