import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { checkWordName, isPlainPath } from './check-task.ts';
import { type ClusterObjects, claimFolder, folderOf } from './cluster-objects.ts';
import { IN_FILES } from './file-objects.ts';
import type { ParamValue, ResolvedRun, WorkspaceBinding } from './model.ts';
import { Variables } from './replace/variables.ts';
import type { Field } from './yaml/field.ts';

/**
 * What the run's workspaces are bound to, by their names, whether the pipeline declares them or leaves them to its tasks:
 * a folder of this machine, or what the PipelineRun says. Notes those that are bound to nothing; throws `USAGE` for a
 * folder that can't be shared.
 */
export function bindWorkspaces(
  resolved: ResolvedRun,
  params: Readonly<Record<string, ParamValue>>,
  folders: Readonly<Record<string, string>>,
  notes: string[],
  objects: ClusterObjects,
): Map<string, WorkspaceBinding> {
  const { run, pipeline } = resolved;
  const bound = bindFolders(resolved, folders);
  const variables = bindingVariables(resolved, params);
  for (const written of run.workspaces) {
    if (bound.has(written.name)) continue;
    const binding = withNames(written, variables);
    if (binding.kind === 'elsewhere') {
      const given = fromFolder(binding, objects);
      if (given !== undefined) {
        bound.set(binding.name, given);
        continue;
      }
      const option = binding.isClaim ? 'claim' : binding.sources[0]?.kind === 'secret' ? 'secret' : 'configmap';
      const own = binding.object === '' ? '' : ` or --${option} ${binding.object}=FOLDER`;
      const hint = `give a folder for it: --workspace ${binding.name}=FOLDER${own}`;
      binding.field.unsupported(`${binding.reason}; ${hint}`);
      bound.set(binding.name, binding);
    } else if (binding.kind === 'folder') bound.set(binding.name, binding);
    else if (binding.kind === 'unbound') {
      const isOptional = pipeline.workspaces.some(({ name, optional }) => name === binding.name && optional);
      if (isOptional) notes.push(`workspace ${binding.name} is not bound: there is no git credential here`);
      else {
        binding.field.unsupported(
          `there is no git credential here, and the workspace is not optional; give a folder for it: --workspace ${binding.name}=FOLDER`,
        );
      }
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

/** What bindings may ask for: the params that the run gives, and of a Task the defaults of the others. */
function bindingVariables(
  { run, implementations }: ResolvedRun,
  params: Readonly<Record<string, ParamValue>>,
): Variables {
  const variables = new Variables();
  const given = new Set(run.params.map(({ name }) => name));
  const defaults = run.isTaskRun ? [...implementations.values()].flatMap(({ task }) => task.params) : [];
  for (const { name, default: value } of defaults) {
    if (value !== undefined && !Object.hasOwn(params, name)) variables.addParam(name, value, 'task');
  }
  for (const [name, value] of Object.entries(params)) {
    if (run.isTaskRun || given.has(name)) variables.addParam(name, value, 'pipeline');
  }
  return variables;
}

/** A binding with the variables in the names of what it is bound to replaced. */
function withNames(binding: WorkspaceBinding, variables: Variables): WorkspaceBinding {
  if (binding.kind !== 'elsewhere') return binding;
  const sources = binding.sources.map((source) => ({ ...source, object: variables.text(source.object) }));
  return { ...binding, object: variables.text(binding.object), sources };
}

/** A claim's folder, or the files of ConfigMaps and Secrets that somebody gave folders for. */
function fromFolder(
  { name, isClaim, object, sources, subPath, field }: Extract<WorkspaceBinding, { kind: 'elsewhere' }>,
  objects: ClusterObjects,
): WorkspaceBinding | undefined {
  const claim = isClaim ? claimFolder(objects, object) : undefined;
  const own = { name: object, generated: false };
  if (claim === IN_FILES) return { name, kind: 'volumeClaimTemplate', claim: own, subPath, field };
  if (claim !== undefined) return { name, kind: 'folder', path: sharedFolder(name, claim), claim: own, subPath };
  const isHere = sources.length > 0 && sources.every((each) => each.optional || folderOf(each, objects) !== undefined);
  return isHere ? { name, kind: 'objects', sources, subPath, field } : undefined;
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
    bound.set(name, { name, kind: 'folder', path: sharedFolder(name, folder) });
  }
  return bound;
}

function sharedFolder(name: string, folder: string): string {
  const path = resolve(folder);
  // podman would take what comes after a colon for options.
  if (!/[:\p{Cc}]/u.test(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new TektonLocalError('USAGE', `the workspace ${name} can't be shared with the steps`, {
    expected: 'a folder that is there, without a colon in its path',
    found: JSON.stringify(folder),
  });
}
