import type { Resource } from '../../targets/cluster/api/resource.ts';
import { ApiError, notFoundPage } from './status.ts';

/** The kinds that are served, by API version, with their plurals. */
export const GROUPS: Record<string, Record<string, string>> = {
  v1: {
    Namespace: 'namespaces',
    ServiceAccount: 'serviceaccounts',
    Secret: 'secrets',
    ConfigMap: 'configmaps',
    Pod: 'pods',
    Event: 'events',
  },
  'authorization.k8s.io/v1': { SelfSubjectAccessReview: 'selfsubjectaccessreviews' },
  'rbac.authorization.k8s.io/v1': { Role: 'roles', RoleBinding: 'rolebindings' },
  'tekton.dev/v1': { Pipeline: 'pipelines', PipelineRun: 'pipelineruns', Task: 'tasks', TaskRun: 'taskruns' },
  'resolution.tekton.dev/v1beta1': { ResolutionRequest: 'resolutionrequests' },
  'appstudio.redhat.com/v1alpha1': {
    Application: 'applications',
    Component: 'components',
    ImageRepository: 'imagerepositories',
    Snapshot: 'snapshots',
    Release: 'releases',
    ReleasePlan: 'releaseplans',
  },
  'appstudio.redhat.com/v1beta2': { IntegrationTestScenario: 'integrationtestscenarios' },
};

const CLUSTER_WIDE: ReadonlySet<string> = new Set(['Namespace', 'SelfSubjectAccessReview']);

export function isNamespaced(kind: string): boolean {
  return !CLUSTER_WIDE.has(kind);
}

/** What a request is about. */
export interface Target {
  apiVersion: string;
  group: string;
  kind: string;
  plural: string;
  /** Undefined: of all namespaces, or of none. */
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** The kinds of an API version with their plurals, as far as they are there. */
export function kindsOf(apiVersion: string, absent: ReadonlySet<string>): Record<string, string> | undefined {
  const kinds = absent.has(apiVersion) ? undefined : GROUPS[apiVersion];
  return kinds && Object.fromEntries(Object.entries(kinds).filter(([kind]) => !absent.has(kind)));
}

/** Reads a resource's path. Throws the 404 of a path that leads nowhere. */
export function targetOf(path: string, absent: ReadonlySet<string>): Target {
  const [, apiVersion = '', rest = ''] = /^\/(?:api|apis)\/((?:[a-z0-9.-]+\/)?v\d\w*)\/(.+)$/.exec(path) ?? [];
  const kinds = kindsOf(apiVersion, absent);
  const parts = rest.split('/').map(decodeURIComponent);
  // A namespace is an object, and the folder of all that is in it.
  const inside = parts[0] === 'namespaces' && parts.length > 2;
  const [plural = '', name, subresource] = inside ? parts.slice(2) : parts;
  const kind = Object.keys(kinds ?? {}).find((key) => kinds?.[key] === plural);
  if (kind === undefined || (inside && !isNamespaced(kind))) throw notFoundPage();
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return { apiVersion, group, kind, plural, namespace: inside ? parts[1] : undefined, name, subresource };
}

/** `components.appstudio.redhat.com`: as messages name a kind. */
export function fullName({ group, plural }: Pick<Target, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The verb of a request, as roles name it. */
export function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method === 'GET') return name !== undefined ? 'get' : isWatch(query) ? 'watch' : 'list';
  if (method === 'DELETE' && name === undefined) return 'deletecollection';
  return { POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' }[method] ?? method.toLowerCase();
}

export function isWatch(query: URLSearchParams): boolean {
  return query.get('watch') === 'true' || query.get('watch') === '1';
}

export type Matches = (object: Resource) => boolean;

/** What a list or a watch selects, by labels and fields. Throws what the server says of a selector that is none. */
export function selectorOf(query: URLSearchParams): Matches {
  const labels = requirements(query.get('labelSelector') ?? '');
  const fields = (query.get('fieldSelector') ?? '').split(',').filter(Boolean).map(fieldRequirement);
  return (object) => [...labels, ...fields].every((holds) => holds(object));
}

function requirements(selector: string): Matches[] {
  // Commas inside of parentheses belong to a set.
  const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.filter(Boolean).map((part) => {
    const match = /^(!?)\s*([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|\s(in|notin)\s*\(([^)]*)\))?$/.exec(part);
    if (match === null) throw new ApiError(400, `unable to parse requirement: found '${part}'`);
    const [, not, key = '', operator, value, set, members = ''] = match;
    const values = members.split(',').map((member) => member.trim());
    return ({ metadata }) => {
      const label = metadata.labels?.[key];
      if (set === 'in') return label !== undefined && values.includes(label);
      if (set === 'notin') return label === undefined || !values.includes(label);
      if (operator === '!=') return label !== value;
      if (operator !== undefined) return label === value;
      return (label === undefined) === (not === '!');
    };
  });
}

function fieldRequirement(part: string): Matches {
  const [, reason] = /^reason=(.*)$/.exec(part) ?? [];
  // Of Events alone.
  if (reason !== undefined) return (object) => object.reason === reason;
  const [, name, not, value] = /^metadata\.(name|namespace)(!?)==?(.*)$/.exec(part) ?? [];
  if (name === undefined) throw new ApiError(400, `field label not supported: ${part.split('=')[0]}`);
  return ({ metadata }) => ((metadata as Record<string, unknown>)[name] === value) !== (not === '!');
}
