import { join } from 'node:path';
import { type ClusterObjects, claimFolder } from '../plan/cluster-objects.ts';
import type { VolumeClaim, WorkspaceBinding } from '../plan/model.ts';
import { type Prepared, workspacesUsed } from '../plan/task-runs.ts';
import { fillFolder } from './cluster-files.ts';
import { insideFolder, makeOpenFolder, placeInside } from './confined-path.ts';
import type { WorkspaceMount } from './step-run.ts';

/**
 * The workspaces of a task that are bound. A volume claim is one folder for all tasks; an emptyDir a new one for each.
 *
 * @param bindings What the PipelineRun binds, by the pipeline's name for it.
 * @param folders The own folders of the run and of the TaskRun.
 */
export function workspaceMounts(
  prepared: Prepared,
  bindings: ReadonlyMap<string, WorkspaceBinding>,
  folders: { run: string; task: string },
  objects: ClusterObjects,
): WorkspaceMount[] {
  const { task, spec } = prepared;
  const given = new Map(task.workspaces.map((workspace) => [workspace.name, workspace]));
  // A spec inside the pipeline may use workspaces of the run that nothing passes on to it.
  const propagated = workspacesUsed(prepared).filter((name) => !given.has(name));
  const all = [...task.workspaces, ...propagated.map((name) => ({ name, workspace: name, subPath: undefined }))];
  return all.flatMap((used) => {
    const declared = spec.workspaces.find((candidate) => candidate.name === used.name);
    const workspace = { name: used.name, readOnly: declared?.readOnly ?? false, mountPath: declared?.mountPath };
    const binding = bindings.get(used.workspace);
    if (binding === undefined || binding.kind === 'unbound' || binding.kind === 'elsewhere') return [];
    const subPath = join(binding.subPath ?? '', used.subPath ?? '');
    const containerPath = workspace.mountPath ?? `/workspace/${workspace.name}`;
    const mount = { name: workspace.name, containerPath, readOnly: workspace.readOnly };
    if (binding.kind === 'folder') {
      return [{ ...mount, ...sharedPlace(binding.path, subPath), callers: true }];
    }
    if (binding.kind === 'objects') {
      const filled = fillFolder(join(folders.task, 'bound', workspace.name), binding.sources, objects, (text) => text);
      return [{ ...mount, hostPath: insideFolder(filled, subPath), readOnly: true, shared: false }];
    }
    const base =
      binding.kind === 'emptyDir'
        ? join(folders.task, 'bound', workspace.name)
        : (claimedFolder(binding.claim, objects) ?? join(folders.run, 'claims', used.workspace));
    // An earlier task may have left a link where this one's subPath leads.
    if (binding.kind !== 'emptyDir') return [{ ...mount, ...sharedPlace(makeOpenFolder(base), subPath) }];
    return [{ ...mount, hostPath: placeInside(makeOpenFolder(base), subPath).path, shared: false }];
  });
}

/** A place that other tasks may see from above, and put something else there. */
function sharedPlace(base: string, subPath: string): Pick<WorkspaceMount, 'hostPath' | 'shared' | 'identity'> {
  const { path, identity } = placeInside(base, subPath);
  return { hostPath: path, shared: true, identity: path === base ? undefined : identity };
}

function claimedFolder({ name, generated }: VolumeClaim, objects: ClusterObjects): string | undefined {
  return generated ? undefined : claimFolder(objects, name);
}
