import { hashOf } from './hash.ts';
import type { Task, VolumeClaim, WorkspaceBinding } from './model.ts';
import { type Prepared, workspacesUsed } from './task-runs.ts';

/** A workspace of a task that is bound to something. */
export interface BoundWorkspace {
  name: string;
  /** The name of the PersistentVolumeClaim that it is; empty where it is none. */
  claim: string;
}

/** A bound workspace, and where the steps of a task have it. */
export interface WorkspacePath extends BoundWorkspace {
  containerPath: string;
}

/**
 * The workspaces of a task that are bound, whether they are passed on to it or it uses them by itself.
 *
 * @param uid The run's, of which names of claims are made.
 */
export function boundWorkspaces(
  prepared: Prepared,
  bindings: ReadonlyMap<string, WorkspaceBinding>,
  uid: string,
): BoundWorkspace[] {
  const names = new Map(prepared.task.workspaces.map(({ name, workspace }) => [name, workspace]));
  for (const name of workspacesUsed(prepared)) if (!names.has(name)) names.set(name, name);
  return [...names].flatMap(([name, workspace]) => {
    const binding = bindings.get(workspace);
    if (binding === undefined) return [];
    const claim = claimOf(binding);
    if (claim === undefined) return [{ name, claim: '' }];
    const hash = hashOf('sha256', `${binding.name}${uid}`).slice(0, 10);
    return [{ name, claim: claim.generated ? `${claim.name}-${hash}` : claim.name }];
  });
}

/** The PersistentVolumeClaim that a workspace is bound to; undefined where it is bound to something else. */
export function claimOf(binding: WorkspaceBinding): VolumeClaim | undefined {
  if (binding.kind === 'volumeClaimTemplate' || binding.kind === 'folder') return binding.claim;
  return undefined;
}

/** Where the steps of a Task have its workspaces, once its variables are replaced: of these those that it does not declare too. */
export function workspacePaths({ workspaces }: Task, bound: readonly BoundWorkspace[]): WorkspacePath[] {
  return bound.map((workspace) => {
    const declared = workspaces.find((candidate) => candidate.name === workspace.name);
    return { ...workspace, containerPath: declared?.mountPath ?? `/workspace/${workspace.name}` };
  });
}

/** The name of the volume that a workspace is. */
export function volumeOf(workspace: string): string {
  return `ws-${workspace}`;
}

/**
 * What the steps of a TaskRun have at fixed paths: `results.r.path`, `workspaces.w.path` and the like.
 *
 * @param mounts The workspaces that are bound, and where they are in a step.
 */
export function pathsIn(
  { results, steps, workspaces }: Task,
  mounts: readonly WorkspacePath[],
): Record<string, string> {
  const values: Record<string, string> = { 'credentials.path': '/tekton/creds' };
  for (const { name } of results) {
    for (const key of [`results.${name}`, `results["${name}"]`, `results['${name}']`]) {
      values[`${key}.path`] = `/tekton/results/${name}`;
    }
  }
  for (const { name } of steps) values[`steps.step-${name}.exitCode.path`] = `/tekton/steps/step-${name}/exitCode`;
  for (const { name } of workspaces) {
    values[`workspaces.${name}.bound`] = 'false';
    values[`workspaces.${name}.path`] = '';
  }
  // Also those that a spec inside a pipeline uses and does not declare.
  for (const { name, claim, containerPath } of mounts) {
    values[`workspaces.${name}.bound`] = 'true';
    values[`workspaces.${name}.path`] = containerPath;
    values[`workspaces.${name}.claim`] = claim;
    values[`workspaces.${name}.volume`] = volumeOf(name);
  }
  return values;
}
