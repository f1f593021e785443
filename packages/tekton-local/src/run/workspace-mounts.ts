import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PipelineTask, WorkspaceBinding, WorkspaceDeclaration } from '../plan/model.ts';
import { insideFolder, makeOpenFolder } from './confined-path.ts';
import type { WorkspaceMount } from './step-run.ts';

/** Where the folders behind workspaces are. */
export interface WorkspaceFolders {
  /** What the PipelineRun binds, by the pipeline's name for it. */
  bindings: ReadonlyMap<string, WorkspaceBinding>;
  /** The run's own folder. */
  run: string;
  /** The TaskRun's own folder. */
  task: string;
}

/** The workspaces of a task that are bound. A volume claim is one folder for all tasks; an emptyDir a new one for each. */
export function workspaceMounts(
  task: PipelineTask,
  declared: readonly WorkspaceDeclaration[],
  folders: WorkspaceFolders,
): WorkspaceMount[] {
  return declared.flatMap((workspace) => {
    const used = task.workspaces.find((candidate) => candidate.name === workspace.name);
    const binding = used && folders.bindings.get(used.workspace);
    if (used === undefined || binding === undefined || binding.kind === 'unbound') return [];
    const subPath = join(binding.subPath ?? '', used.subPath ?? '');
    const containerPath = workspace.mountPath ?? `/workspace/${workspace.name}`;
    const mount = { name: workspace.name, containerPath, readOnly: workspace.readOnly };
    if (binding.kind === 'folder') {
      const hostPath = insideFolder(binding.path, subPath);
      mkdirSync(hostPath, { recursive: true });
      return [{ ...mount, hostPath, shared: true }];
    }
    const base =
      binding.kind === 'emptyDir'
        ? join(folders.task, 'bound', workspace.name)
        : join(folders.run, 'claims', used.workspace);
    // An earlier task may have left a link where this one's subPath leads.
    const hostPath = insideFolder(makeOpenFolder(base), subPath);
    makeOpenFolder(hostPath);
    return [{ ...mount, hostPath, shared: binding.kind !== 'emptyDir' }];
  });
}
