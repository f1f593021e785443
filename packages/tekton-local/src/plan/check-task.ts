import { checkText, checkValue, type Known } from './check-references.ts';
import type { Field } from './field.ts';
import type { ParamType, Step, Task, WorkspaceDeclaration } from './model.ts';

/** Dotted names that the fields of a TaskRun may refer to. */
const TASK_CONTEXT = [
  'context.taskRun.name',
  'context.taskRun.namespace',
  'context.taskRun.uid',
  'context.task.name',
  'context.task.retry-count',
];

/** Notes what is wrong inside a Task: references, volume mounts, names. `inherited` are the params of an embedding run. */
export function checkTask(
  task: Task,
  inherited: { params: ReadonlyMap<string, ParamType>; values: readonly string[] },
): void {
  const known: Known = {
    params: new Map([...inherited.params, ...task.params.map((param) => [param.name, param.type] as const)]),
    values: new Set([
      ...TASK_CONTEXT,
      ...inherited.values,
      ...task.results.map((result) => `results.${result.name}.path`),
      ...task.workspaces.flatMap((workspace) =>
        ['path', 'bound', 'claim', 'volume'].map((key) => `workspaces.${workspace.name}.${key}`),
      ),
      ...task.steps.flatMap((step) => [
        `steps.${step.name}.exitCode.path`,
        ...step.results.map((result) => `steps.${step.name}.results.${result.name}`),
      ]),
    ]),
  };
  // Names become names of folders and containers here, so they have to be names as Kubernetes knows them.
  for (const { name, field } of task.volumes) checkName(field.get('name'), name);
  const volumes = new Set(task.volumes.map((volume) => volume.name));
  const names = new Set<string>();
  for (const step of task.steps) {
    if (names.has(step.name)) step.field.invalid(`there are two steps named ${JSON.stringify(step.name)}`);
    names.add(step.name);
    checkStep(step, known, volumes);
  }
  task.workspaces.forEach(checkWorkspace);
  for (const result of task.results) {
    if (result.value !== undefined) checkText(result.field.get('value'), result.value, known);
    checkWordName(result);
  }
}

function checkStep(step: Step, { params, values }: Known, volumes: ReadonlySet<string>): void {
  const { field } = step;
  checkName(field.get('name'), step.name);
  step.results.forEach(checkWordName);
  const own = step.results.map((result) => `step.results.${result.name}.path`);
  const known: Known = { params, values: new Set([...values, ...own]) };
  checkText(field.get('image'), step.image, known);
  checkText(field.get('script'), step.script ?? '', known);
  checkText(field.get('workingDir'), step.workingDir ?? '', known);
  checkValue(field.get('command'), step.command ?? [], known);
  checkValue(field.get('args'), step.args, known);
  for (const { name, value } of step.env) {
    checkText(field.get('env'), value, known);
    if (!/^[-._A-Za-z][-._A-Za-z0-9]*$/.test(name)) {
      field.get('env').invalid(`${JSON.stringify(name)} is no name of a variable`);
    }
  }
  const place = field.get('volumeMounts');
  for (const { name, mountPath, subPath } of step.volumeMounts) {
    checkText(place, mountPath, known);
    if (!volumes.has(name)) place.invalid(`there is no volume ${JSON.stringify(name)}`);
    if (!isPlainPath(mountPath)) place.invalid(`${JSON.stringify(mountPath)} is no absolute path`);
    if (isTektons(mountPath)) place.invalid(`${mountPath} is Tekton's own`);
    if (subPath !== undefined && !isPlainPath(`/${subPath}`)) {
      place.invalid(`${JSON.stringify(subPath)} leads out of the volume`);
    }
  }
}

function checkWorkspace(workspace: WorkspaceDeclaration): void {
  checkWordName(workspace);
  const { mountPath } = workspace;
  if (mountPath === undefined) return;
  const place = workspace.field.get('mountPath');
  if (mountPath.includes('$(')) place.unsupported('references in mount paths of workspaces');
  else if (!isPlainPath(mountPath)) place.invalid('is no absolute path');
  else if (isTektons(mountPath)) place.invalid(`${mountPath} is Tekton's own`);
}

/** Notes a `subPath` of a workspace that could lead out of it. */
export function checkSubPath(field: Field, subPath: string | undefined): void {
  if (subPath === undefined) return;
  if (subPath.includes('$(')) field.get('subPath').unsupported('references in subPath of workspaces');
  else if (!isPlainPath(`/${subPath}`)) {
    field.get('subPath').invalid(`${JSON.stringify(subPath)} leads out of the workspace`);
  }
}

/** Notes a name that Kubernetes would not take for an object. */
export function checkName(field: Field, name: string): void {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= 63) return;
  field.invalid(`${JSON.stringify(name)} is no name: letters a-z, digits and -`);
}

/** Notes a name of a result or a workspace that is more than a word. */
export function checkWordName({ name, field }: { name: string; field: Field }): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  field.get('name').invalid(`${JSON.stringify(name)} is no name: letters, digits, -, _ and .`);
}

function isTektons(path: string): boolean {
  return /^\/+(?:$|tekton(?:\/|$))/.test(path);
}

/** An absolute path that names itself: no `..`, and no character that means something in a mount option. */
function isPlainPath(path: string): boolean {
  if (path.includes('$(')) return true;
  return /^\/[^:,\p{Cc}]*$/u.test(path) && !path.split('/').includes('..');
}
