import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import type { Variables } from './replace/variables.ts';
import type { Field } from './yaml/field.ts';
import { loadDocuments, loadText, yamlFilesBelow } from './yaml-file.ts';

export type RemoteKind = 'Task' | 'Pipeline' | 'StepAction';

/** What a resolver, or Pipelines as Code, would fetch from elsewhere. */
export interface Remote {
  kind: RemoteKind;
  /** `bundles`, `git`, `http`, `hub` or `cluster`, or a resolver that nobody here knows. */
  resolver: string;
  /** Where it is: a URL, an image, or words such as `hub:git-clone:0.9`. */
  address: string;
  /** Its `metadata.name`, where the reference says it. */
  name?: string | undefined;
  /** Paths that it may have in a folder, the likeliest first. */
  paths: readonly string[];
}

/**
 * What a `taskRef`, a `pipelineRef` or a step's `ref` with a resolver asks for.
 *
 * @param variables What the resolver's params may refer to.
 */
export function remoteOf(reference: Field, kind: RemoteKind, variables: Variables): Remote {
  const resolver = reference.get('resolver').text() || 'bundles';
  const params = reference.get('params').list();
  const text = (...names: string[]): string => {
    const param = params.find((item) => names.includes(String(item.get('name').value)));
    return variables.text(String(param?.get('value').value ?? ''));
  };
  if (resolver === 'git') {
    const path = text('pathInRepo');
    const address =
      text('url') || [text('serverURL'), text('org'), text('repo')].filter((part) => part !== '').join('/');
    return { kind, resolver, address: address.replace(/\.git$/, ''), paths: [path, basename(path)] };
  }
  if (resolver === 'http') return httpRemote(kind, text('url'));
  const name = text('name');
  if (resolver === 'hub') return hubRemote(kind, name, text('version'), text('catalog'));
  if (resolver === 'cluster') {
    return { kind, resolver, address: `cluster:${text('namespace')}/${name}`, name, paths: [`${name}.yaml`] };
  }
  return { kind, resolver, address: text('bundle'), name, paths: [`${name}.yaml`] };
}

/** What an annotation of Pipelines as Code asks for that is no path in the repository. */
export function annotatedRemote(kind: RemoteKind, text: string): Remote {
  if (/^https?:/.test(text)) return httpRemote(kind, text);
  const [, catalog = '', name = '', version = ''] = /^(?:(\w[\w-]*):\/\/)?([^:]*)(?::(.*))?$/.exec(text) ?? [];
  return hubRemote(kind, name, version, catalog);
}

function httpRemote(kind: RemoteKind, url: string): Remote {
  const path = (url.split(/[?#]/, 1)[0] ?? '').replace(/^https?:\/\//, '');
  return { kind, resolver: 'http', address: url, paths: [path, basename(path)] };
}

function hubRemote(kind: RemoteKind, name: string, version: string, catalog: string): Remote {
  const below = `${name}/${version}/${name}.yaml`;
  return {
    kind,
    resolver: 'hub',
    address: ['hub', catalog, name, version].filter((part) => part !== '').join(':'),
    name,
    paths: [`${kind.toLowerCase()}/${below}`, below, `${name}.yaml`],
  };
}

/**
 * The document that stands for something remote: in the file or folder that the caller gives for its address, for the
 * start of it, or for its resolver. Undefined where there is none, which is a problem of the field that asks for it.
 *
 * @param replacements Files and folders of this machine, by addresses or resolvers.
 */
export function replacementOf(
  remote: Remote,
  field: Field,
  replacements: Readonly<Record<string, string>>,
  problems: Problem[],
): Field | undefined {
  const [from] = Object.keys(replacements)
    .filter((key) => key === remote.resolver || isStartOf(key.replace(/\.git$/, ''), remote.address))
    .sort((a, b) => b.length - a.length);
  if (from === undefined) {
    noteMissing(field, remote);
    return undefined;
  }
  const place = resolve(replacements[from] ?? '');
  const all = documentsIn(place, from, remote, problems);
  const tag = /:([\w.-]+)(?:@|$)/.exec(remote.address)?.[1] ?? '';
  // Of several versions it is the one that is asked for, or none.
  const [found] = all.length > 1 ? all.filter((document) => isVersion(versionOf(document), tag)) : all;
  if (found !== undefined) return found.withProblems(problems);
  const what = `the ${remote.kind} ${JSON.stringify(remote.name ?? remote.paths[0] ?? '')} of ${remote.address}`;
  const versions = [...new Set(all.map((document) => versionOf(document) || 'no version'))].join(', ');
  const none = `${replacements[from]}, which was given for ${from}, does not have ${what}`;
  const but = versions === '' ? '' : `, but ${versions} of it`;
  const instead = insteadOf(remote);
  field.problem('NOT_FOUND', `${none}${but}${instead === '' ? '' : `: ${instead}`}`);
  return undefined;
}

/** What a file or folder has of what is looked for, in one version or several. */
function documentsIn(
  place: string,
  from: string,
  { address, kind, name, paths }: Remote,
  problems: Problem[],
): Field[] {
  const isIt = (document: Field): boolean =>
    document.get('kind').value === kind && (name === undefined || document.get('metadata', 'name').value === name);
  const read = (folder: string, file: string): Field[] =>
    loadDocuments(folder, file, problems).filter(isIt).slice(0, 1);
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return read(dirname(place), basename(place));
  const rest = address.startsWith(from) ? [address.slice(from.length).replace(/^\/+/, '')] : [];
  const there = [...rest, ...paths]
    .filter((path) => /\.ya?ml$/.test(path) && !path.split('/').includes('..'))
    .find((path) => existsSync(join(place, path)));
  if (there !== undefined) return read(place, there);
  // Whatever the folder's order, it says itself what it has.
  return name === undefined
    ? []
    : yamlFilesBelow(place, '.').flatMap((file) => documentsNaming(place, file, name).filter(isIt));
}

/** The documents of a file that has that name somewhere; none of one that can't be read: a clone has all kinds of files. */
function documentsNaming(place: string, file: string, name: string): Field[] {
  try {
    return loadText(place, file).includes(name) ? loadDocuments(place, file, []) : [];
  } catch {
    return [];
  }
}

function versionOf(document: Field): string {
  return String(document.get('metadata', 'labels', 'app.kubernetes.io/version').value ?? '');
}

/** `0.4` and `0.4.3` are of one version: a bundle's tag may say more than the label. */
function isVersion(version: string, tag: string): boolean {
  return version !== '' && (`${tag}.`.startsWith(`${version}.`) || `${version}.`.startsWith(`${tag}.`));
}

/** Says that something remote can't be had here, and what to do. */
function noteMissing(field: Field, { kind, resolver, address, name, paths }: Remote): void {
  const what = name ?? paths[0] ?? '';
  const instead = insteadOf({ kind, resolver, name });
  // Whichever version: what is given says which it is.
  const start = resolver === 'bundles' ? address.replace(/@.*$/, '').replace(/:[\w.-]+$/, '') : address;
  field.unsupported(
    `nothing is fetched, and nothing was given for the ${kind} ${JSON.stringify(what)} of ${address || resolver}: ` +
      `${instead === '' ? '' : `${instead}, or `}--resolve ${start || resolver}=FOLDER`,
  );
}

/** What does without a Task of a bundle. */
function insteadOf({ kind, resolver, name }: Pick<Remote, 'kind' | 'resolver' | 'name'>): string {
  return resolver === 'bundles' && kind === 'Task' ? `--task ${name}=FILE, --skip ${name}` : '';
}

function isStartOf(start: string, address: string): boolean {
  return address.startsWith(start) && (/[/:]$/.test(start) || /^(?:[/:@]|$)/.test(address.slice(start.length)));
}
