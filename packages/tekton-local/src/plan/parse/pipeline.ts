import { PAC } from '@multi-image/kit/tekton';
import type { Pipeline, PipelineRun, PipelineTask, PodTemplate, TaskReference, WorkspaceBinding } from '../model.ts';
import {
  parseOnError,
  parseParamSpecs,
  parseParams,
  parseParamValue,
  parseTimeout,
  parseWhen,
  parseWorkspaceDeclaration,
} from '../values.ts';
import type { Field } from '../yaml/field.ts';
import { parseObjectSources, parsePodTemplate, parseTaskRunSpec } from './objects.ts';
import { parseTaskSpec } from './task.ts';

const HOUR = 3_600_000;

/** Reads a PipelineRun that has been admitted. `authSecret` is the name that `{{ git_auth_secret }}` stands for. */
export function parsePipelineRun(document: Field, authSecret: string): PipelineRun {
  const metadata = document.get('metadata');
  const spec = document
    .get('spec')
    .only('params pipelineRef pipelineSpec workspaces timeouts taskRunTemplate taskRunSpecs status', {
      managedBy: 'a PipelineRun that another controller manages is not run',
    });
  const status = spec.get('status');
  if (status.text() !== '') status.unsupported('a PipelineRun that is pending or cancelled is not run');
  const pods = spec.get('taskRunSpecs').map((item): [string, PodTemplate] => {
    const template = parsePodTemplate(item.get('podTemplate'));
    return [item.get('pipelineTaskName').text(), { ...template, task: parseTaskRunSpec(item) }];
  });
  const timeouts = spec.get('timeouts');
  const name = metadata.get('name').text();
  return {
    name: name === '' ? metadata.get('generateName').text() : name,
    generated: name === '',
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
    pod: parsePodTemplate(spec.get('taskRunTemplate', 'podTemplate')),
    pods: new Map(pods),
    field: document,
  };
}

/** Reads a Pipeline from its own document, which has been admitted. */
export function parsePipeline(document: Field): Pipeline {
  const metadata = document.get('metadata');
  const annotation = metadata.get('annotations', `${PAC}task`);
  const files = annotation.present ? splitAnnotation(annotation.requiredString()) : [];
  return parsePipelineSpec(document.get('spec'), metadata.get('name').text(), files);
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
  return { kind: 'name', name: reference.get('name').text(), field: reference };
}

/** What a workspace is bound to that this machine may not have. */
const CLUSTER_BINDINGS = [
  ['persistentVolumeClaim', 'claimName', 'there are no volume claims on this machine'],
  ['configMap', 'name', 'there are no ConfigMaps on this machine'],
  ['secret', 'secretName', 'there are no Secrets on this machine'],
  ['projected', '', 'there are no ConfigMaps and Secrets on this machine'],
  ['csi', '', 'there are no CSI drivers on this machine'],
] as const;

/** What a workspace of a run is bound to. */
export function parseBinding(field: Field, authSecret: string): WorkspaceBinding {
  const name = field.get('name').text();
  const subPath = field.get('subPath').string();
  for (const [key, nameKey, reason] of CLUSTER_BINDINGS) {
    const bound = field.get(key);
    if (!bound.present) continue;
    const object = nameKey === '' ? '' : bound.get(nameKey).text();
    if (key === 'secret' && object === authSecret) return { name, kind: 'unbound', field };
    const isClaim = key === 'persistentVolumeClaim';
    const sources = parseObjectSources(field);
    return { name, kind: 'elsewhere', field: bound, subPath, object, reason, isClaim, sources };
  }
  const template = field.get('volumeClaimTemplate');
  if (!template.present) return { name, kind: 'emptyDir', subPath, field };
  const claim = { name: template.get('metadata', 'name').text() || 'pvc', generated: true };
  return { name, kind: 'volumeClaimTemplate', claim, subPath, field };
}

function parsePipelineSpec(spec: Field, name: string, taskFiles: string[]): Pipeline {
  const tasks = spec.get('tasks').map(parsePipelineTask);
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    workspaces: spec.get('workspaces').map(parseWorkspaceDeclaration),
    tasks,
    finally: spec.get('finally').map(parsePipelineTask),
    results: spec.get('results').map((field) => ({
      name: field.get('name').text(),
      value: parseParamValue(field.get('value')),
      field,
    })),
    taskFiles,
    field: spec,
  };
}

function parsePipelineTask(field: Field): PipelineTask {
  const name = field.get('name').text();
  const matrix = field.get('matrix');
  const [custom] = ['taskSpec', 'taskRef']
    .map((key) => field.get(key, 'apiVersion'))
    .filter((version) => version.text() !== '');
  return {
    name,
    reference: parseTaskReference(field, name),
    custom,
    params: parseParams(field.get('params')),
    when: field.get('when').map(parseWhen),
    runAfter: field.get('runAfter').strings() ?? [],
    workspaces: field.get('workspaces').map((item) => {
      const own = item.get('name').text();
      const workspace = item.get('workspace').text() || own;
      return { name: own, workspace, subPath: item.get('subPath').string(), field: item };
    }),
    // Tekton takes a number below 0 here, and tries once.
    retries: Math.max(0, Number(field.get('retries').value ?? 0)),
    onError: parseOnError(field.get('onError')),
    timeout: parseTimeout(field.get('timeout')),
    matrix: parseParams(matrix.get('params')),
    include: matrix.get('include').map((item) => parseParams(item.get('params'))),
    field,
  };
}

/** What a pipeline task, or a TaskRun, runs. */
export function parseTaskReference(field: Field, name: string): TaskReference {
  const spec = field.get('taskSpec');
  if (spec.present) return { kind: 'embedded', task: parseTaskSpec(spec, name) };
  const reference = field.get('taskRef');
  const resolver = reference.get('resolver');
  if (!resolver.present) return { kind: 'name', name: reference.get('name').text(), field: reference };
  if (resolver.value !== 'bundles') return { kind: 'remote', field: reference };
  const params = new Map(parseParams(reference.get('params')).map((param) => [param.name, param]));
  for (const key of ['name', 'bundle']) {
    if (typeof params.get(key)?.value !== 'string')
      reference.get('params').invalid(`the resolver needs a param ${key}`);
  }
  const kind = params.get('kind')?.value;
  if (kind !== undefined && kind !== 'task')
    reference.get('params').unsupported('only bundles of kind task are supported');
  const text = (key: string): string => String(params.get(key)?.value ?? '');
  return { kind: 'bundle', name: text('name'), bundle: text('bundle'), field: reference };
}
