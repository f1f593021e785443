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

const konflux = 'appstudio.redhat.com/v1alpha1';

export const KINDS = {
  application: { apiVersion: konflux, kind: 'Application' },
  component: { apiVersion: konflux, kind: 'Component' },
  imageRepository: { apiVersion: konflux, kind: 'ImageRepository' },
  snapshot: { apiVersion: konflux, kind: 'Snapshot' },
  scenario: { apiVersion: 'appstudio.redhat.com/v1beta2', kind: 'IntegrationTestScenario' },
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
  releasePlan: { apiVersion: konflux, kind: 'ReleasePlan' },
  release: { apiVersion: konflux, kind: 'Release' },
} as const satisfies Record<string, Kind>;

/** Labels and annotations, by whom writes them. */
export const NAMES = {
  application: 'appstudio.openshift.io/application',
  component: 'appstudio.openshift.io/component',
  type: 'pipelines.appstudio.openshift.io/type',
  commit: 'build.appstudio.redhat.com/commit_sha',
  request: 'build.appstudio.openshift.io/request',
  status: 'build.appstudio.openshift.io/status',
  commonSecret: 'build.appstudio.openshift.io/common-secret',
  signed: 'chains.tekton.dev/signed',
  pipelineRun: 'tekton.dev/pipelineRun',
  pipelineTask: 'tekton.dev/pipelineTask',
  buildPipelineRun: 'appstudio.openshift.io/build-pipelinerun',
  testStatus: 'test.appstudio.openshift.io/status',
  snapshotType: 'test.appstudio.openshift.io/type',
  autoRelease: 'release.appstudio.openshift.io/auto-release',
  /** Ours: which chain a Snapshot is of. */
  chain: 'custom.appstudio.openshift.io/chain',
  /** Ours: on what this command made, and on nothing else. */
  madeBy: 'app.kubernetes.io/managed-by',
} as const;

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
