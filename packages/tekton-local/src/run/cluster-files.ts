import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClusterObjects, folderOf, missingObject } from '../plan/cluster-objects.ts';
import type { EnvVar, FileObjects, ObjectSource, Step } from '../plan/model.ts';
import { insideFolder, makeOpenFolder } from './confined-path.ts';

/** Writes the objects that a run's files have themselves where those are that the caller gives. */
export function writeFileObjects({ secrets, configMaps, claims }: FileObjects, folder: string): void {
  for (const [kind, objects] of Object.entries({ secrets, configMaps })) {
    for (const [name, keys] of Object.entries(objects)) {
      const place = join(folder, kind, name);
      mkdirSync(place, { recursive: true });
      for (const [key, value] of Object.entries(keys)) writeFileSync(join(place, key), value);
    }
  }
  for (const name of claims) makeOpenFolder(join(folder, 'claims', name));
}

/** Puts copies of the files that stand for ConfigMaps and Secrets into a folder of a TaskRun's. */
export function fillFolder(
  folder: string,
  sources: readonly ObjectSource[],
  objects: ClusterObjects,
  text: (name: string) => string,
): string {
  if (existsSync(folder)) return folder;
  makeOpenFolder(folder);
  for (const source of sources) {
    const from = sourceFolder(source, objects, text);
    if (from === undefined) continue;
    const items = source.items ?? keysOf(from).map((key) => ({ key, path: key }));
    for (const item of items) {
      const [key, path] = [text(item.key), text(item.path)];
      const value = readKey(from, key);
      if (value === undefined && !source.optional) throw new Error(`${nameOf(source, text)} has no key ${key}`);
      if (value === undefined) continue;
      const target = insideFolder(folder, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, value);
    }
  }
  return folder;
}

/** The value of a variable that is a key of a ConfigMap or a Secret; undefined where it may be absent. */
export function keyText(
  from: NonNullable<EnvVar['from']>,
  objects: ClusterObjects,
  text: (name: string) => string,
): string | undefined {
  const folder = sourceFolder(from, objects, text);
  const value = folder === undefined ? undefined : readKey(folder, text(from.key));
  if (value === undefined && !from.optional) throw new Error(`${nameOf(from, text)} has no key ${text(from.key)}`);
  return value?.toString('utf8');
}

/** The variables of `envFrom`; a key that is no name of a variable is left out, as in a cluster. */
export function envFromObjects(
  { envFrom }: Step,
  objects: ClusterObjects,
  text: (name: string) => string,
): [string, string][] {
  return envFrom.flatMap(({ prefix, source }) => {
    const folder = sourceFolder(source, objects, text);
    if (folder === undefined) return [];
    return keysOf(folder)
      .map((key): [string, string] => [`${prefix}${key}`, readKey(folder, key)?.toString('utf8') ?? ''])
      .filter(([name]) => /^[-._A-Za-z][-._A-Za-z0-9]*$/.test(name));
  });
}

function sourceFolder(
  source: ObjectSource,
  objects: ClusterObjects,
  text: (name: string) => string,
): string | undefined {
  const folder = folderOf(source, objects, text(source.object));
  if (folder !== undefined || source.optional) return folder;
  throw new Error(missingObject({ ...source, object: text(source.object) }));
}

function nameOf({ kind, object }: ObjectSource, text: (name: string) => string): string {
  return `the ${kind} ${text(object)}`;
}

/** The files of a folder: a name that begins with two dots is how a cluster itself mounts it. */
function keysOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('..') && statSync(join(folder, name)).isFile())
    .sort();
}

function readKey(folder: string, key: string): Buffer | undefined {
  return keysOf(folder).includes(key) ? readFileSync(join(folder, key)) : undefined;
}
