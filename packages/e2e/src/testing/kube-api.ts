import type { Resource } from '../cluster/resource.ts';

/** The kinds that are served, by API version, with their plurals. */
export const GROUPS: Record<string, Record<string, string>> = {
  v1: { ServiceAccount: 'serviceaccounts', Secret: 'secrets', Pod: 'pods' },
  'authorization.k8s.io/v1': { SelfSubjectAccessReview: 'selfsubjectaccessreviews' },
  'tekton.dev/v1': { PipelineRun: 'pipelineruns', TaskRun: 'taskruns' },
  'appstudio.redhat.com/v1alpha1': {
    Application: 'applications',
    Component: 'components',
    ImageRepository: 'imagerepositories',
    Snapshot: 'snapshots',
  },
  'appstudio.redhat.com/v1beta2': { IntegrationTestScenario: 'integrationtestscenarios' },
};

/** The verb of a request, as roles name it. */
export function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method === 'GET') return name !== undefined ? 'get' : query.get('watch') === 'true' ? 'watch' : 'list';
  return { POST: 'create', PATCH: 'patch', DELETE: 'delete' }[method] ?? method.toLowerCase();
}

/** Whether a label selector such as `a=b,c in (d,e)` matches. */
export function selected({ metadata }: Resource, selector: string | null): boolean {
  if (!selector) return true;
  return [...selector.matchAll(/([^,\s=]+)(?:=([^,]*)|\s+in\s+\(([^)]*)\))/g)].every(([, key = '', value, set]) => {
    const label = metadata.labels?.[key];
    return set === undefined ? label === value : label !== undefined && set.split(',').includes(label);
  });
}
