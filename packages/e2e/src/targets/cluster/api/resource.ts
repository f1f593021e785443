import { KONFLUX_API, SCENARIO_API } from '@multi-image/kit/konflux';

/** A kind of object, as manifests name it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The API group of a kind; empty for those of Kubernetes' core. */
export function groupOf({ apiVersion }: Kind): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** A Kubernetes object as it comes over the wire: what is below `metadata` is checked where it is read. */
export interface Resource extends Kind {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export const KINDS = {
  application: { apiVersion: KONFLUX_API, kind: 'Application' },
  component: { apiVersion: KONFLUX_API, kind: 'Component' },
  imageRepository: { apiVersion: KONFLUX_API, kind: 'ImageRepository' },
  snapshot: { apiVersion: KONFLUX_API, kind: 'Snapshot' },
  scenario: { apiVersion: SCENARIO_API, kind: 'IntegrationTestScenario' },
  pipelineRun: { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun' },
  taskRun: { apiVersion: 'tekton.dev/v1', kind: 'TaskRun' },
  serviceAccount: { apiVersion: 'v1', kind: 'ServiceAccount' },
  secret: { apiVersion: 'v1', kind: 'Secret' },
} as const satisfies Record<string, Kind>;

const RBAC = 'rbac.authorization.k8s.io/v1';

/** Kinds that a run makes use of where they are there, and this login may. */
export const OPTIONAL_KINDS = {
  role: { apiVersion: RBAC, kind: 'Role' },
  roleBinding: { apiVersion: RBAC, kind: 'RoleBinding' },
  releasePlan: { apiVersion: KONFLUX_API, kind: 'ReleasePlan' },
  release: { apiVersion: KONFLUX_API, kind: 'Release' },
} as const satisfies Record<string, Kind>;

/** The label of what this command made, and of nothing else: with {@link MADE_BY_US}. */
export const MADE_BY = 'app.kubernetes.io/managed-by';
export const MADE_BY_US = 'multi-image-e2e';

/** A field somewhere below an object that came from outside; undefined where any step of the way is missing. */
export function field(object: unknown, ...path: readonly string[]): unknown {
  let value = object;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

export function text(object: unknown, ...path: readonly string[]): string | undefined {
  const value = field(object, ...path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function list(object: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = field(object, ...path);
  return Array.isArray(value) ? value : [];
}

/** The condition of this type, as `knative` style statuses have them. */
export function condition(
  object: unknown,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  const found = list(object, 'status', 'conditions').find((entry) => text(entry, 'type') === type);
  if (found === undefined) return undefined;
  return {
    status: text(found, 'status') ?? 'Unknown',
    reason: text(found, 'reason') ?? '',
    message: text(found, 'message') ?? '',
  };
}
