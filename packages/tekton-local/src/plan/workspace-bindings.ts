import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { checkSubPath, checkWordName } from './check-task.ts';
import type { Pipeline, ResolvedRun, WorkspaceBinding } from './model.ts';

/**
 * What each of the pipeline's workspaces is bound to, by its name: a folder of this machine, or what the PipelineRun
 * says. Notes those that are bound to nothing; throws `USAGE` for a folder that can't be shared.
 */
export function bindWorkspaces(
  { run, pipeline }: ResolvedRun,
  folders: Readonly<Record<string, string>>,
  notes: string[],
): Map<string, WorkspaceBinding> {
  const bound = bindFolders(pipeline, folders);
  for (const declared of pipeline.workspaces) {
    checkWordName(declared);
    if (bound.has(declared.name)) continue;
    const binding = run.workspaces.find((candidate) => candidate.name === declared.name);
    if (binding !== undefined && binding.kind !== 'unbound') bound.set(declared.name, binding);
    else if (!declared.optional) declared.field.unsupported('is not optional, and nothing is bound to it here');
    else if (binding !== undefined)
      notes.push(`workspace ${declared.name} is not bound: there is no git credential here`);
  }
  for (const binding of run.workspaces) {
    if (binding.kind !== 'unbound' && binding.kind !== 'folder') checkSubPath(binding.field, binding.subPath);
  }
  return bound;
}

function bindFolders(pipeline: Pipeline, folders: Readonly<Record<string, string>>): Map<string, WorkspaceBinding> {
  const bound = new Map<string, WorkspaceBinding>();
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
    bound.set(name, { name, kind: 'folder', path });
  }
  return bound;
}
