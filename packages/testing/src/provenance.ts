import type { Digest } from '@multi-image/digest-chain/oci';
import { REVISION } from './chain.ts';

/** A task of a run, as a test tells it. */
export interface TestTask {
  readonly name: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly results?: Readonly<Record<string, unknown>>;
  /** `Succeeded` by default. */
  readonly status?: 'Succeeded' | 'Failed' | 'Running';
  /** The bundle that defines it, `quay.io/org/task-build@sha256:…`; by default the run itself does. */
  readonly bundle?: string;
}

/** A run, as a test tells it: by default one of a push, by Chains, from {@link SOURCE} at {@link REVISION}. */
export interface TestRun {
  readonly builder?: string;
  readonly buildType?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
  /** What it was built from, as Chains records it: `git+https://….git` and a commit. */
  readonly materials?: readonly { readonly uri: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly configSource?: object;
}

export const SOURCE = 'https://git.example/org/repo';
export const RUN_UID = '7d8f4c1e-0000-4000-8000-000000000001';
const CHAINS = 'https://tekton.dev/chains/v2';

/** The material that Chains makes of the results `CHAINS-GIT_URL` and `CHAINS-GIT_COMMIT`. */
export const gitMaterial = (url: string = SOURCE, commit: string = REVISION) =>
  ({ uri: `git+${url.replace(/(\.git)?$/, '.git')}`, digest: { sha1: commit } }) as const;

const subjectOf = (digest: Digest): object => ({ name: 'image', digest: { sha256: digest.slice('sha256:'.length) } });
const listOf = (values: object = {}): object[] => Object.entries(values).map(([name, value]) => ({ name, value }));
const statementOf = (version: string, predicateType: string, subjects: readonly Digest[], predicate: object) => ({
  _type: `https://in-toto.io/Statement/${version}`,
  predicateType: `https://slsa.dev/provenance/${predicateType}`,
  subject: subjects.map(subjectOf),
  predicate,
});

function labelsOf({ uid = RUN_UID, labels }: TestRun, task: string): Record<string, string> {
  return { ...labels, 'tekton.dev/pipelineRunUID': uid, 'tekton.dev/pipelineTask': task };
}

function bundleSource(bundle: string | undefined): object | undefined {
  const [uri, sha256] = bundle?.split('@sha256:') ?? [];
  return uri === undefined ? undefined : { uri, digest: { sha256 }, entryPoint: 'task' };
}

const bundleRef = (bundle: string | undefined): object =>
  bundle === undefined ? {} : { resolver: 'bundles', params: listOf({ name: 'task', bundle, kind: 'task' }) };

/** What Tekton Chains writes for a PipelineRun with `artifacts.pipelinerun.format: in-toto`. */
export function provenanceV02(subjects: readonly Digest[], tasks: readonly TestTask[], run: TestRun = {}): object {
  const { labels = {}, annotations = {}, params = { revision: 'main' }, materials = [gitMaterial()] } = run;
  return statementOf('v0.1', 'v0.2', subjects, {
    builder: { id: run.builder ?? CHAINS },
    buildType: run.buildType ?? 'tekton.dev/v1/PipelineRun',
    invocation: {
      configSource: run.configSource ?? {},
      parameters: params,
      environment: { labels: { 'tekton.dev/pipeline': 'app-on-push-x7k2p', ...labels }, annotations },
    },
    buildConfig: {
      tasks: tasks.map((task) => ({
        name: task.name,
        ref: bundleRef(task.bundle),
        status: task.status ?? 'Succeeded',
        invocation: {
          configSource: bundleSource(task.bundle) ?? {},
          parameters: task.params ?? {},
          environment: { labels: labelsOf(run, task.name) },
        },
        results: listOf(task.results).map((result) => ({ ...result, type: 'string' })),
      })),
    },
    materials,
  });
}

/** What it writes for one TaskRun of it with `artifacts.taskrun.format: in-toto`. */
export function taskProvenanceV02(subjects: readonly Digest[], task: TestTask, run: TestRun = {}): object {
  return statementOf('v0.1', 'v0.2', subjects, {
    builder: { id: run.builder ?? CHAINS },
    buildType: run.buildType ?? 'tekton.dev/v1/TaskRun',
    invocation: {
      configSource: bundleSource(task.bundle) ?? {},
      parameters: task.params ?? {},
      environment: { labels: labelsOf(run, task.name), annotations: run.annotations ?? {} },
    },
    buildConfig: { steps: [] },
  });
}

/** A PipelineRun with `slsa/v2alpha4`; `detailed` is the build type that holds the TaskRuns. */
export function provenanceV1(
  subjects: readonly Digest[],
  tasks: readonly TestTask[],
  detailed: boolean = true,
  run: TestRun = {},
): object {
  const contentOf = (task: TestTask): string => {
    const status = task.status ?? 'Succeeded';
    const succeeded = { Succeeded: 'True', Failed: 'False', Running: 'Unknown' }[status];
    const refSource = bundleSource(task.bundle);
    const content = {
      metadata: { labels: labelsOf(run, task.name) },
      spec: { params: listOf(task.params), ...(refSource && { taskRef: bundleRef(task.bundle) }) },
      status: {
        conditions: [{ type: 'Succeeded', status: succeeded, reason: status }],
        results: listOf(task.results),
        ...(refSource && { provenance: { refSource } }),
      },
    };
    return Buffer.from(JSON.stringify(content)).toString('base64');
  };
  const { labels = {}, annotations = {}, materials = [gitMaterial()] } = run;
  return statementOf('v1', 'v1', subjects, {
    buildDefinition: {
      buildType: run.buildType ?? `${CHAINS}/slsa${detailed ? '-tekton' : ''}`,
      externalParameters: { runSpec: { pipelineRef: {}, params: listOf(run.params) } },
      internalParameters: detailed ? { labels, annotations } : {},
      resolvedDependencies: [
        ...tasks.map((task) => ({
          name: 'pipelineTask',
          ...(detailed ? { content: contentOf(task) } : { uri: 'oci://quay.io/task', digest: { sha256: 'c' } }),
        })),
        ...materials.map((material) => ({ name: 'inputs/result', ...material })),
      ],
    },
    runDetails: { builder: { id: run.builder ?? CHAINS }, metadata: { invocationId: run.uid ?? RUN_UID } },
  });
}

/** One TaskRun of it, with the detailed build type. */
export function taskProvenanceV1(subjects: readonly Digest[], task: TestTask, run: TestRun = {}): object {
  return statementOf('v1', 'v1', subjects, {
    buildDefinition: {
      buildType: run.buildType ?? `${CHAINS}/slsa-tekton`,
      externalParameters: { runSpec: { taskRef: {}, params: listOf(task.params) } },
      internalParameters: { labels: labelsOf(run, task.name), annotations: run.annotations ?? {} },
    },
    runDetails: { builder: { id: run.builder ?? CHAINS } },
  });
}
