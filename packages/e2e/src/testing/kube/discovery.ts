import { GROUPS, isNamespaced, kindsOf } from './api.ts';
import { notFoundPage } from './status.ts';

/** What is served, as clients ask for it; undefined where a path is another matter. */
export function discover(path: string, absent: ReadonlySet<string>): object | undefined {
  const served = Object.keys(GROUPS).filter((apiVersion) => !absent.has(apiVersion));
  const groups = [...new Set(served.filter((entry) => entry.includes('/')).map((entry) => entry.split('/')[0] ?? ''))];
  if (path === '/version') return { major: '1', minor: '32', gitVersion: 'v1.32.0' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((name) => groupOf(name, served)) };
  }
  const [, name, version] = /^\/(?:apis\/([a-z0-9.-]+)|api)(?:\/(v\d\w*))?\/?$/.exec(path) ?? [];
  if (name === undefined && version === undefined) return undefined;
  if (name !== undefined && version === undefined) {
    if (!groups.includes(name)) throw notFoundPage();
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, served) };
  }
  const groupVersion = name === undefined ? `${version}` : `${name}/${version}`;
  if (!served.includes(groupVersion)) throw notFoundPage();
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: resourcesOf(groupVersion, absent) };
}

function groupOf(name: string, served: readonly string[]): object {
  const versions = served
    .filter((entry) => entry.startsWith(`${name}/`))
    .map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourcesOf(groupVersion: string, absent: ReadonlySet<string>): object[] {
  return Object.entries(kindsOf(groupVersion, absent) ?? {}).flatMap(([kind, name]) => {
    const isReview = kind === 'SelfSubjectAccessReview';
    const verbs = isReview ? ['create'] : ['create', 'delete', 'get', 'list', 'patch', 'watch'];
    const shortNames = SHORT[kind] ?? [];
    const resource = {
      name,
      shortNames,
      singularName: kind.toLowerCase(),
      namespaced: isNamespaced(kind),
      kind,
      verbs,
    };
    if (kind !== 'Pod') return [resource];
    return [resource, { name: 'pods/log', singularName: '', namespaced: true, kind, verbs: ['get'] }];
  });
}

const SHORT: Readonly<Record<string, readonly string[]>> = { Namespace: ['ns'], ServiceAccount: ['sa'] };
