import type { Param, ParamValue, PipelineRun, PipelineTask } from '../model.ts';
import { parseParams, parseTimeout, typeOf } from '../values.ts';
import type { Field } from '../yaml/field.ts';
import { parsePodTemplate, parseTaskRunSpec } from './objects.ts';
import { parseBinding, parseTaskReference, stringMap } from './pipeline.ts';

const FIELDS = 'params taskRef taskSpec workspaces timeout serviceAccountName retries podTemplate';

/**
 * Reads a TaskRun, as a run of a pipeline with that one task.
 *
 * @param overrides Params instead of the TaskRun's, and beside them.
 */
export function parseTaskRun(
  document: Field,
  authSecret: string,
  overrides: Readonly<Record<string, ParamValue>>,
): PipelineRun {
  const metadata = document.get('metadata');
  const spec = document.get('spec').only(`${FIELDS} stepSpecs sidecarSpecs computeResources status`, {
    debug: 'breakpoints are not supported',
  });
  const status = spec.get('status');
  if (status.text() !== '') status.unsupported('a TaskRun that is cancelled is not run');
  const generated = metadata.get('name').text() === '';
  const name = metadata.get(generated ? 'generateName' : 'name').text();
  const reference = parseTaskReference(spec, name);
  const params = parseParams(spec.get('params'));
  const values = new Map<string, ParamValue>(params.map((param) => [param.name, param.value]));
  for (const [key, value] of Object.entries(overrides)) values.set(key, value);
  const handedOn = [...values].map(([key, value]): Param => ({ name: key, value, field: spec.get('params') }));
  const workspaces = spec.get('workspaces').map((field) => parseBinding(field, authSecret));
  const task: PipelineTask = {
    name,
    reference,
    params: handedOn,
    when: [],
    runAfter: [],
    workspaces: workspaces.map((binding) => ({ name: binding.name, workspace: binding.name, field: spec })),
    retries: spec.get('retries').integer() ?? 0,
    onError: 'stopAndFail',
    timeout: parseTimeout(spec.get('timeout')),
    matrix: [],
    include: [],
    field: spec,
  };
  return {
    name,
    generated,
    namespace: metadata.get('namespace').string() ?? 'default',
    annotations: stringMap(metadata.get('annotations')),
    labels: stringMap(metadata.get('labels')),
    params,
    workspaces,
    pipeline: {
      kind: 'embedded',
      pipeline: {
        name: '',
        params: [...values].map(([key, value]) => ({ name: key, type: typeOf(value), field: spec.get('params') })),
        workspaces: workspaces.map((binding) => ({
          name: binding.name,
          optional: false,
          readOnly: false,
          field: spec,
        })),
        tasks: [task],
        finally: [],
        results: [],
        taskFiles: [],
        field: spec,
      },
    },
    timeouts: { pipeline: 0 },
    serviceAccountName: spec.get('serviceAccountName').string(),
    // Its own timeout is its task's already.
    pod: { ...parsePodTemplate(spec.get('podTemplate')), task: { ...parseTaskRunSpec(spec), timeout: undefined } },
    pods: new Map(),
    isTaskRun: true,
    field: document,
  };
}
