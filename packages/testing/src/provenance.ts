import type { Digest } from '@multi-image/digest-chain/oci';

/** A task of a run, as a test tells it. */
export interface TestTask {
  readonly name: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly results?: Readonly<Record<string, string>>;
}

const subjectOf = (digest: Digest): object => ({ name: 'image', digest: { sha256: digest.slice('sha256:'.length) } });
const listOf = (values: object = {}): object[] => Object.entries(values).map(([name, value]) => ({ name, value }));

/** What Tekton Chains writes for a PipelineRun with `artifacts.pipelinerun.format: in-toto`. */
export function provenanceV02(subjects: readonly Digest[], tasks: readonly TestTask[]): object {
  return {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    subject: subjects.map(subjectOf),
    predicate: {
      builder: { id: 'https://tekton.dev/chains/v2' },
      buildType: 'tekton.dev/v1/PipelineRun',
      invocation: { configSource: {}, parameters: { revision: 'main' } },
      buildConfig: {
        tasks: tasks.map(({ name, params = {}, results }) => ({
          name,
          ref: {},
          status: 'Succeeded',
          invocation: { configSource: {}, parameters: params },
          results: listOf(results).map((result) => ({ ...result, type: 'string' })),
        })),
      },
    },
  };
}

/** The same with `slsa/v2alpha4`; `detailed` is the build type that holds the TaskRuns. */
export function provenanceV1(subjects: readonly Digest[], tasks: readonly TestTask[], detailed = true): object {
  const contentOf = ({ name, params, results }: TestTask): string => {
    const labels = { 'tekton.dev/pipelineTask': name };
    const run = { metadata: { labels }, spec: { params: listOf(params) }, status: { results: listOf(results) } };
    return Buffer.from(JSON.stringify(run)).toString('base64');
  };
  return {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: subjects.map(subjectOf),
    predicate: {
      buildDefinition: {
        buildType: `https://tekton.dev/chains/v2/slsa${detailed ? '-tekton' : ''}`,
        externalParameters: { runSpec: { pipelineRef: {} } },
        resolvedDependencies: tasks.map((task) => ({
          name: 'pipelineTask',
          ...(detailed ? { content: contentOf(task) } : { uri: 'oci://quay.io/task', digest: { sha256: 'c' } }),
        })),
      },
      runDetails: { builder: { id: 'https://tekton.dev/chains/v2' } },
    },
  };
}
