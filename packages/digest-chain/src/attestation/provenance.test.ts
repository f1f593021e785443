import { ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { DigestChainError } from '../errors.ts';
import { readProvenance } from './provenance.ts';

const V02 = 'https://slsa.dev/provenance/v0.2';
const V1 = 'https://slsa.dev/provenance/v1';
const ARGUMENTS = [`IMAGE1_DIGEST=${ZERO}`];

const params = [
  { name: 'IMAGE', value: 'quay.io/org/meta:1' },
  { name: 'BUILD_ARGS', value: ARGUMENTS },
];
const values = new Map(params.map(({ name, value }) => [name, value]));
const results = [
  { name: 'IMAGE_URL', type: 'string', value: 'quay.io/org/meta:1' },
  { name: 'IMAGE_DIGEST', type: 'string', value: ONES },
];
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

describe('SLSA v0.2', () => {
  it('of a PipelineRun lists its tasks', () => {
    const tasks = [
      { name: 'clone-repository', invocation: { parameters: { url: 'x' } }, results: [{ name: 'commit', value: 'c' }] },
      { name: 'build-image-2', invocation: { parameters: { BUILD_ARGS: ARGUMENTS } }, results },
      {
        name: 'label-image-1',
        invocation: {},
        results: [
          { name: 'FIRST_IMAGE_URL', value: 'x' },
          { name: 'FIRST_IMAGE_DIGEST', value: `${ZERO}\n` },
        ],
      },
    ];
    const predicate = {
      builder: { id: 'https://tekton.dev/chains/v2' },
      buildType: 'tekton.dev/v1/PipelineRun',
      buildConfig: { tasks },
    };
    expect(readProvenance(V02, predicate)).toMatchObject({
      of: 'PipelineRun',
      builder: 'https://tekton.dev/chains/v2',
      buildType: 'tekton.dev/v1/PipelineRun',
      tasks: [
        { name: 'clone-repository', params: new Map([['url', 'x']]), outputs: new Set() },
        { name: 'build-image-2', params: new Map([['BUILD_ARGS', ARGUMENTS]]), outputs: new Set([ONES]) },
        { name: 'label-image-1', params: new Map(), outputs: new Set([ZERO]) },
      ],
    });
  });

  it.each(['tekton.dev/v1/TaskRun', 'tekton.dev/v1beta1/TaskRun', 'https://tekton.dev/attestations/chains@v2'])(
    'of a TaskRun is about that task (%s)',
    (buildType) => {
      const environment = { labels: { 'tekton.dev/pipelineTask': 'build-image-2' } };
      const predicate = { buildType, invocation: { parameters: { BUILD_ARGS: ARGUMENTS }, environment } };
      expect(readProvenance(V02, predicate)).toMatchObject({
        of: 'TaskRun',
        tasks: [{ name: 'build-image-2', params: new Map([['BUILD_ARGS', ARGUMENTS]]), outputs: undefined }],
      });
    },
  );

  it.each(['tekton.dev/v1/PipelineRun', 'https://tekton.dev/attestations/chains/pipelinerun@v2', 'x/TaskRun'])(
    'of anything else is no task, though it lists none (%s)',
    (buildType) => {
      const predicate = { buildType, invocation: { parameters: { BUILD_ARGS: ARGUMENTS } } };
      expect(readProvenance(V02, predicate)).toMatchObject({ of: 'PipelineRun', tasks: [] });
    },
  );
});

describe('SLSA v1', () => {
  const run = { metadata: { labels: { 'tekton.dev/pipelineTask': 'build-image-2' } }, spec: { params } };

  it.each([
    ['v1', { ...run, status: { results } }],
    ['v1beta1', { ...run, status: { taskResults: results } }],
  ])('of a PipelineRun holds its TaskRuns (%s)', (_, content) => {
    const predicate = {
      buildDefinition: {
        buildType: 'https://tekton.dev/chains/v2/slsa-tekton',
        externalParameters: { runSpec: { pipelineSpec: {}, params: [{ name: 'BUILD_ARGS', value: ['A=decoy'] }] } },
        resolvedDependencies: [
          { name: 'pipeline', uri: 'git+https://x', digest: { sha1: 'c' } },
          { uri: 'oci://quay.io/x', digest: { sha256: 'c' } },
          { name: 'pipelineTask', content: base64(content) },
        ],
      },
      runDetails: { builder: { id: 'https://tekton.dev/chains/v2' } },
    };
    expect(readProvenance(V1, predicate)).toMatchObject({
      of: 'PipelineRun',
      builder: 'https://tekton.dev/chains/v2',
      buildType: 'https://tekton.dev/chains/v2/slsa-tekton',
      tasks: [{ name: 'build-image-2', params: values, outputs: new Set([ONES]) }],
    });
  });

  it('of a PipelineRun with the plain build type lists no tasks', () => {
    const resolvedDependencies = [{ name: 'pipelineTask', uri: 'oci://x', digest: { sha256: 'c' } }];
    const predicate = {
      buildDefinition: { externalParameters: { runSpec: { pipelineRef: {} } }, resolvedDependencies },
    };
    expect(readProvenance(V1, predicate)).toMatchObject({ of: 'PipelineRun', tasks: [] });
  });

  it('of a TaskRun has its parameters', () => {
    const predicate = { buildDefinition: { externalParameters: { runSpec: { taskRef: {}, params } } } };
    const tasks = [{ name: '', params: values, outputs: undefined }];
    expect(readProvenance(V1, predicate)).toMatchObject({ of: 'TaskRun', tasks });
  });
});

describe('what is refused', () => {
  const ofTasks = (tasks: unknown) => () => readProvenance(V02, { buildConfig: { tasks } });
  const ofContent = (content: unknown) => () =>
    readProvenance(V1, { buildDefinition: { resolvedDependencies: [{ name: 'pipelineTask', content }] } });

  it.each([
    ['a result twice', ofTasks([{ results: [...results, ...results] }]), 'ATTESTATION_INVALID'],
    ['too many tasks', ofTasks(Array.from({ length: 2001 }, () => ({}))), 'ATTESTATION_INVALID'],
    ['a parameter twice', ofContent(base64({ spec: { params: [...params, ...params] } })), 'ATTESTATION_INVALID'],
    ['content that is no base64', ofContent('*'), 'ATTESTATION_INVALID'],
    ['content that is no text', ofContent({}), 'ATTESTATION_INVALID'],
    [
      'a duplicate key in the content',
      ofContent(Buffer.from('{"a":1,"a":2}').toString('base64')),
      'JSON_DUPLICATE_KEY',
    ],
  ])('is %s', (_, action, code) => {
    expect(action).toThrow(expect.toSatisfy((error) => error instanceof DigestChainError && error.code === code));
  });

  it('is not a predicate of another type', () => {
    expect(readProvenance('https://slsa.dev/provenance/v3', {})).toBeUndefined();
  });

  it('is nothing that only looks like an object', () => {
    expect(readProvenance(V02, JSON.parse('{"__proto__":{"buildConfig":{"tasks":[{}]}}}'))?.tasks).toEqual([]);
    expect(readProvenance(V02, null)?.tasks).toEqual([]);
    expect(readProvenance(V1, [])?.tasks).toEqual([]);
  });
});
