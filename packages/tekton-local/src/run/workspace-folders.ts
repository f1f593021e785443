import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import type { Pipeline, WorkspaceBinding } from '../plan/model.ts';

/** Workspaces bound to folders of this machine, by name; throws `USAGE` for what can't be bound. */
export function workspaceFolders(
  pipeline: Pipeline,
  folders: Readonly<Record<string, string>>,
): Map<string, WorkspaceBinding> {
  const bindings = new Map<string, WorkspaceBinding>();
  for (const [name, folder] of Object.entries(folders)) {
    if (!pipeline.workspaces.some((workspace) => workspace.name === name)) {
      throw new TektonLocalError('USAGE', `the pipeline has no workspace ${JSON.stringify(name)}`, {
        expected: pipeline.workspaces.map((workspace) => workspace.name).join(', ') || 'none',
      });
    }
    const path = resolve(folder);
    // podman would take what comes after a colon for options.
    if (/[:\p{Cc}]/u.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new TektonLocalError('USAGE', `the workspace ${name} can't be shared with the steps`, {
        expected: 'a folder that is there, without a colon in its path',
        found: JSON.stringify(folder),
      });
    }
    bindings.set(name, { name, kind: 'folder', path });
  }
  return bindings;
}
