import type { Step, Task, WorkspaceDeclaration } from './model.ts';
import type { Field } from './yaml/field.ts';
import { quantityOf } from './yaml/quantity.ts';

// What Kubernetes would refuse of the Pod that a TaskRun becomes; and names that become those of folders here.

/** Notes what is wrong inside a Task: volume mounts, names. With `moreVolumes`, its Pod has others as well. */
export function checkTask(task: Task, moreVolumes: boolean): void {
  for (const { name, field } of task.volumes) checkName(field.get('name'), name);
  const volumes = new Set(task.volumes.map((volume) => volume.name));
  for (const step of task.steps) checkStep(step, moreVolumes ? undefined : volumes);
  const shared = task.template?.field.get('computeResources', 'limits');
  for (const { field } of task.steps) checkRequests(field.get('computeResources'), shared);
  for (const { field } of task.sidecars) checkRequests(field.get('computeResources'));
  task.workspaces.forEach(checkWorkspace);
  for (const { name, type, value, field } of task.results) {
    const first = task.results.find((other) => other.name === name);
    if (first?.type === type && first.value === value) continue;
    field.get('name').unsupported('is there twice, with two types or values');
  }
}

function checkStep({ field, env, volumeMounts }: Step, volumes: ReadonlySet<string> | undefined): void {
  for (const { name } of env) {
    if (!/^[-._A-Za-z][-._A-Za-z0-9]*$/.test(name)) {
      field.get('env').invalid(`${JSON.stringify(name)} is no name of a variable`);
    }
  }
  const place = field.get('volumeMounts');
  for (const { name, mountPath, subPath } of volumeMounts) {
    const known = volumes === undefined || volumes.has(name) || name.includes('$(');
    if (!known) place.invalid(`there is no volume ${JSON.stringify(name)}`);
    if (!isPlainPath(mountPath)) place.invalid(`${JSON.stringify(mountPath)} is no absolute path`);
    if (isTektons(mountPath)) place.invalid(`${mountPath} is Tekton's own`);
    if (subPath !== undefined && !isPlainPath(`/${subPath}`)) {
      place.invalid(`${JSON.stringify(subPath)} leads out of the volume`);
    }
  }
}

/** Notes a request of more than the limit, which may be the template's. */
function checkRequests(resources: Field, shared?: Field): void {
  for (const [name, request] of resources.get('requests').members()) {
    const own = resources.get('limits', name);
    const limit = quantityOf((own.present ? own : shared?.get(name))?.value);
    // What is written in two ways may differ by less than a number of this machine tells.
    if (limit !== undefined && (quantityOf(request.value) ?? 0) > limit * (1 + Number.EPSILON * 4)) {
      request.invalid('is more than its limit');
    }
  }
}

function checkWorkspace(workspace: WorkspaceDeclaration): void {
  checkWordName(workspace);
  const { mountPath } = workspace;
  if (mountPath === undefined) return;
  const place = workspace.field.get('mountPath');
  if (!isPlainPath(mountPath)) place.invalid('is no absolute path');
  else if (isTektons(mountPath)) place.invalid(`${mountPath} is Tekton's own`);
}

/** Notes a name that Kubernetes would not take for an object. */
function checkName(field: Field, name: string): void {
  if ((/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= 63) || name.includes('$(')) return;
  field.invalid(`${JSON.stringify(name)} is no name: letters a-z, digits and -`);
}

/** Notes a name of a workspace that is more than a word. */
export function checkWordName({ name, field }: { name: string; field: Field }): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  field.get('name').unsupported(`${JSON.stringify(name)} is no name: letters, digits, -, _ and .`);
}

function isTektons(path: string): boolean {
  return /^\/+(?:$|tekton(?:\/(?!home)|$))/.test(path);
}

/** An absolute path that names itself: no `..`, and no character that means something in a mount option. */
export function isPlainPath(path: string): boolean {
  if (path.includes('$(')) return true;
  return /^\/[^:,\p{Cc}]*$/u.test(path) && !path.split('/').includes('..');
}
