import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { checkWordName, isPlainPath } from './check-task.ts';
import type { Field } from './field.ts';
import type { ResolvedRun, WorkspaceBinding } from './model.ts';

/**
 * What the run's workspaces are bound to, by their names, whether the pipeline declares them or leaves them to its tasks:
 * a folder of this machine, or what the PipelineRun says. Notes those that are bound to nothing; throws `USAGE` for a
 * folder that can't be shared.
 */
export function bindWorkspaces(
  resolved: ResolvedRun,
  folders: Readonly<Record<string, string>>,
  notes: string[],
): Map<string, WorkspaceBinding> {
  const { run, pipeline } = resolved;
  const bound = bindFolders(resolved, folders);
  for (const binding of run.workspaces) {
    if (bound.has(binding.name)) continue;
    if (binding.kind === 'elsewhere') {
      const hint = `give a folder for it: --workspace ${binding.name}=FOLDER`;
      binding.field.unsupported(`${binding.reason}; ${hint}`);
      bound.set(binding.name, binding);
    } else if (binding.kind === 'folder') bound.set(binding.name, binding);
    else if (binding.kind === 'unbound') {
      const isOptional = pipeline.workspaces.some(({ name, optional }) => name === binding.name && optional);
      if (isOptional) notes.push(`workspace ${binding.name} is not bound: there is no git credential here`);
      else binding.field.unsupported('there is no git credential here, and the workspace is not optional');
    } else {
      checkWordName(binding);
      checkSubPath(binding.field, binding.subPath);
      bound.set(binding.name, binding);
    }
  }
  const said = new Set(run.workspaces.map(({ name }) => name));
  for (const { name, optional, field } of pipeline.workspaces) {
    if (!optional && !bound.has(name) && !said.has(name))
      field.invalid('is not optional, and the run binds nothing to it');
  }
  return bound;
}

/** Notes a `subPath` of a workspace that could lead out of it. */
export function checkSubPath(field: Field, subPath: string | undefined): void {
  if (subPath !== undefined && !isPlainPath(`/${subPath}`)) {
    field.get('subPath').invalid(`${JSON.stringify(subPath)} leads out of the workspace`);
  }
}

function bindFolders(
  { run, pipeline }: ResolvedRun,
  folders: Readonly<Record<string, string>>,
): Map<string, WorkspaceBinding> {
  const known = new Set([...pipeline.workspaces, ...run.workspaces].map(({ name }) => name));
  const bound = new Map<string, WorkspaceBinding>();
  for (const [name, folder] of Object.entries(folders)) {
    if (!known.has(name)) {
      throw new TektonLocalError('USAGE', `the pipeline has no workspace ${JSON.stringify(name)}`, {
        expected: [...known].join(', ') || 'none',
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
