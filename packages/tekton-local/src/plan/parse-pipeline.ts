import type { Field } from './field.ts';
import type { Pipeline, PipelineRun, PipelineTask, TaskReference, When, WorkspaceBinding } from './model.ts';
import { parseTaskSpec } from './parse-task.ts';
import {
  parseOnError,
  parseParamSpecs,
  parseParams,
  parseParamValue,
  parseTimeout,
  parseWorkspaceDeclaration,
} from './parse-values.ts';

const HOUR = 3_600_000;
const TASK_FIELDS =
  'name displayName description taskRef taskSpec params when runAfter workspaces retries onError timeout matrix';
const API_VERSIONS = ['tekton.dev/v1', 'tekton.dev/v1beta1'];

/** Reads a PipelineRun. `authSecret` is the name that `{{ git_auth_secret }}` stands for. */
export function parsePipelineRun(document: Field, authSecret: string): PipelineRun {
  checkHead(document, 'PipelineRun');
  const metadata = document.get('metadata');
  const spec = document.get('spec').only('params pipelineRef pipelineSpec workspaces timeouts taskRunTemplate', {
    taskRunSpecs: 'taskRunSpecs are not supported',
    status: 'a PipelineRun that is pending or cancelled is not run',
  });
  spec.get('taskRunTemplate').only('serviceAccountName', { podTemplate: 'there are no Pods on this machine' });
  const timeouts = spec.get('timeouts').only('pipeline tasks finally');
  return {
    name: metadata.get('name').string() ?? metadata.get('generateName').string()?.replace(/-$/, '') ?? 'pipelinerun',
    namespace: metadata.get('namespace').string() ?? 'default',
    annotations: stringMap(metadata.get('annotations')),
    labels: stringMap(metadata.get('labels')),
    params: parseParams(spec.get('params')),
    workspaces: spec.get('workspaces').map((field) => parseBinding(field, authSecret)),
    pipeline: parsePipelineReference(spec),
    timeouts: {
      pipeline: parseTimeout(timeouts.get('pipeline')) ?? HOUR,
      tasks: parseTimeout(timeouts.get('tasks')),
      finally: parseTimeout(timeouts.get('finally')),
    },
    serviceAccountName: spec.get('taskRunTemplate', 'serviceAccountName').string(),
    field: document,
  };
}

/** Reads a Pipeline from its own document. */
export function parsePipeline(document: Field): Pipeline {
  checkHead(document, 'Pipeline');
  const metadata = document.get('metadata');
  const annotation = metadata.get('annotations', 'pipelinesascode.tekton.dev/task');
  const files = annotation.present ? splitAnnotation(annotation.requiredString()) : [];
  return parsePipelineSpec(document.get('spec'), metadata.get('name').requiredString(), files);
}

/** Checks `apiVersion`, `kind` and the top level of a document. */
export function checkHead(document: Field, kind: string): void {
  document.only('apiVersion kind metadata spec status');
  const version = document.get('apiVersion').requiredString();
  if (!API_VERSIONS.includes(version)) {
    document.get('apiVersion').unsupported(`expected tekton.dev/v1, found ${JSON.stringify(version)}`);
  }
  const found = document.get('kind').requiredString();
  if (found !== kind) document.get('kind').invalid(`expected ${kind}, found ${JSON.stringify(found)}`);
  if (!document.get('spec').present) document.get('spec').invalid('is required');
}

/** `a.yaml` or `[a.yaml, b.yaml]`, as Pipelines as Code writes lists in annotations. */
export function splitAnnotation(text: string): string[] {
  return text
    .trim()
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Labels or annotations. */
export function stringMap(field: Field): Record<string, string> {
  return Object.fromEntries(field.entries().map(([key, value]) => [key, value.string() ?? '']));
}

function parsePipelineReference(spec: Field): PipelineRun['pipeline'] {
  const embedded = spec.get('pipelineSpec');
  if (embedded.present) return { kind: 'embedded', pipeline: parsePipelineSpec(embedded, '', []) };
  const reference = spec.get('pipelineRef').only('name apiVersion kind resolver params', {
    bundle: 'pipelineRef.bundle is gone from Tekton; use resolver: bundles',
  });
  if (reference.get('resolver').present) return { kind: 'remote', field: reference };
  return { kind: 'name', name: reference.get('name').requiredString(), field: reference };
}

/** What a workspace of a run is bound to. */
export function parseBinding(field: Field, authSecret: string): WorkspaceBinding {
  field.only('name emptyDir secret volumeClaimTemplate subPath', {
    persistentVolumeClaim: 'there are no volume claims on this machine; use emptyDir or volumeClaimTemplate',
    configMap: 'there are no ConfigMaps on this machine',
  });
  const name = field.get('name').requiredString();
  const subPath = field.get('subPath').string();
  const secret = field.get('secret').only('secretName optional');
  if (secret.present) {
    const secretName = secret.get('secretName').requiredString();
    if (secretName !== authSecret) {
      secret.unsupported(`there is no secret ${JSON.stringify(secretName)} on this machine`);
    }
    return { name, kind: 'unbound', field };
  }
  const kind = field.get('volumeClaimTemplate').present ? 'volumeClaimTemplate' : 'emptyDir';
  if (!field.get(kind).present) field.invalid('a workspace is bound to nothing');
  return { name, kind, subPath, field };
}

function parsePipelineSpec(spec: Field, name: string, taskFiles: string[]): Pipeline {
  spec.only('params tasks finally results workspaces description displayName');
  const tasks = spec.get('tasks').map(parsePipelineTask);
  if (tasks.length === 0) spec.get('tasks').invalid('a Pipeline needs at least one task');
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    workspaces: spec.get('workspaces').map(parseWorkspaceDeclaration),
    tasks,
    finally: spec.get('finally').map(parsePipelineTask),
    results: spec.get('results').map((field) => {
      field.only('name type description value');
      return { name: field.get('name').requiredString(), value: parseParamValue(field.get('value')), field };
    }),
    taskFiles,
    field: spec,
  };
}

function parsePipelineTask(field: Field): PipelineTask {
  field.only(TASK_FIELDS, {
    pipelineRef: 'pipelines in pipelines are not supported',
    pipelineSpec: 'pipelines in pipelines are not supported',
  });
  const name = field.get('name').requiredString();
  const matrix = field.get('matrix').only('params', { include: 'matrix.include is not supported' });
  return {
    name,
    reference: parseTaskReference(field, name),
    params: parseParams(field.get('params')),
    when: field.get('when').map(parseWhen),
    runAfter: field.get('runAfter').strings() ?? [],
    workspaces: field.get('workspaces').map((item) => {
      item.only('name workspace subPath');
      const own = item.get('name').requiredString();
      const workspace = item.get('workspace').string() ?? own;
      return { name: own, workspace, subPath: item.get('subPath').string(), field: item };
    }),
    retries: field.get('retries').integer() ?? 0,
    onError: parseOnError(field.get('onError')),
    timeout: parseTimeout(field.get('timeout')),
    matrix: parseParams(matrix.get('params')),
    field,
  };
}

/** What a pipeline task, or a TaskRun, runs. */
export function parseTaskReference(field: Field, name: string): TaskReference {
  const spec = field.get('taskSpec');
  if (spec.present) {
    if (field.get('taskRef').present) field.invalid('a task has either a taskRef or a taskSpec');
    return { kind: 'embedded', task: parseTaskSpec(spec, name) };
  }
  const reference = field.get('taskRef').only('name kind resolver params apiVersion', {
    bundle: 'taskRef.bundle is gone from Tekton; use resolver: bundles',
  });
  const resolver = reference.get('resolver');
  if (!resolver.present) return { kind: 'name', name: reference.get('name').requiredString(), field: reference };
  if (resolver.string() !== 'bundles') return { kind: 'remote', field: reference };
  const params = new Map(parseParams(reference.get('params')).map((param) => [param.name, param]));
  const text = (key: string): string => {
    const value = params.get(key)?.value;
    if (typeof value === 'string') return value;
    reference.get('params').invalid(`the resolver needs a param ${key}`);
    return '';
  };
  const kind = params.get('kind')?.value;
  if (kind !== undefined && kind !== 'task') reference.get('params').unsupported('only bundles of kind task');
  return { kind: 'bundle', name: text('name'), bundle: text('bundle'), field: reference };
}

function parseWhen(field: Field): When {
  field.only('input operator values', { cel: 'when expressions in CEL are not supported' });
  const operator = field.get('operator').string() ?? '';
  if (operator !== 'in' && operator !== 'notin' && !field.get('cel').present) {
    field.get('operator').invalid(`expected in or notin, found ${JSON.stringify(operator)}`);
  }
  // A whole array may stand instead of the list: values: $(params.names[*])
  const values = field.get('values');
  const given = typeof values.value === 'string' ? [values.value] : (values.strings() ?? []);
  return {
    input: field.get('input').string() ?? '',
    operator: operator === 'notin' ? 'notin' : 'in',
    values: given,
    field,
  };
}
