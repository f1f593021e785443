import { existsSync, realpathSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { PAC } from '@multi-image/kit/tekton';
import { TektonLocalError } from '../errors.ts';
import { isRun } from '../plan/resolve.ts';
import type { VariableLookup } from '../plan/yaml-file.ts';
import { isInside, loadDocuments, loadText, yamlFilesBelow } from '../plan/yaml-file.ts';
import { type EVENT, inCheckout, named, type Values } from './options.ts';

/** One PipelineRun or TaskRun that a command is about. */
export interface Chosen {
  file: string;
  name?: string | undefined;
  /** The run itself, where it is in no file. */
  run?: object | undefined;
}

/** What a command is about, and what `{{ … }}` stands for in it. */
export interface Choice {
  root: string;
  runs: Chosen[];
  /** All files that the command names: what a run names may be in another of them. */
  beside: readonly string[];
  variables: Readonly<Record<string, string>>;
  lookup?: VariableLookup | undefined;
  /** What was not chosen and why, for a person. */
  notes: string[];
}

type EventValues = Values<typeof EVENT>;

/**
 * The runs that a command's files and its event stand for: the one that is there, the one that is named, or those that
 * the event starts. Throws `USAGE` where there is none.
 */
export async function whichRuns(
  paths: readonly string[],
  values: EventValues & { name?: string | undefined },
): Promise<Choice> {
  const { root, files } = filesOf(paths, values.root);
  const variables = named('--variable', values.variable, String);
  const there = files.flatMap((file) => runsIn(root, file));
  const [first] = there;
  if (first === undefined) {
    throw new TektonLocalError(
      'NOT_FOUND',
      `there is no PipelineRun or TaskRun in ${files.join(', ') || paths.join(', ')}`,
      { hint: howToStart(root, files) },
    );
  }
  const asks = asksForEvent(values) || there.some(({ asksEvent }) => asksEvent);
  if (there.length === 1 && !asks) {
    return { root, runs: [{ file: first.file, name: values.name }], beside: files, variables, notes: [] };
  }
  // The evaluator of expressions is only loaded for those who need it.
  const { pacContext } = await import('../pac/context.ts');
  const { candidatesIn } = await import('../pac/candidates.ts');
  const options = eventOptions(root, values);
  const read = candidatesIn(root, files, await pacContext(options));
  let { context, candidates } = read;
  if (read.unreadable !== undefined) throw new TektonLocalError('YAML_INVALID', read.unreadable);
  if (values.event === undefined && !candidates.some(({ starts }) => starts)) {
    // Without an event it is whichever of a checkout's starts something.
    const other = candidatesIn(root, files, await pacContext({ ...options, event: 'pull_request' }));
    if (other.candidates.some(({ starts }) => starts)) ({ context, candidates } = other);
  }
  const { event, lookup } = context;
  const base = { root, beside: files, variables: context.variables, lookup };
  const chosen =
    values.name === undefined ? candidates : candidates.filter(({ name }) => name === values.name?.replace(/-$/, ''));
  const [only] = chosen;
  if (only === undefined) {
    throw new TektonLocalError('NOT_FOUND', `there is no run ${JSON.stringify(values.name)} in ${files.join(', ')}`, {
      found: candidates.map(({ name }) => name).join(', ') || 'none',
    });
  }
  if (chosen.length === 1) {
    const notes = only.starts || !only.decides ? [] : [`${event.from} would not start ${only.name}: ${only.why}`];
    if (context.problem !== undefined) notes.push(context.problem);
    return { ...base, runs: [only], notes };
  }
  const unknown = chosen.filter((candidate) => candidate.unknown);
  if (unknown.length > 0) {
    throw new TektonLocalError('INVALID', `what ${event.from} starts can't be known`, {
      found: unknown.map(({ file, name, why }) => `${file} ${name}: ${why}`).join('\n'),
      hint: '--name NAME runs one of them whatever the event',
    });
  }
  const runs = chosen.filter(({ starts }) => starts);
  const notes = chosen.filter(({ starts }) => !starts).map(({ name, why }) => `${name} is not started: ${why}`);
  if (context.problem !== undefined) notes.push(context.problem);
  if (runs.length > 0) return { ...base, runs, notes };
  if (!chosen.some(({ decides }) => decides)) {
    throw new TektonLocalError('NOT_FOUND', `none of ${chosen.length} runs says which event starts it`, {
      found: chosen.map(({ name }) => name).join(', '),
      hint: `--name ${only.name}: one of them`,
    });
  }
  throw new TektonLocalError('NOT_FOUND', `${event.from} starts none of ${chosen.length} runs`, {
    found: notes.join('\n'),
    hint: '--event push, pull_request or the file of a webhook; --name NAME runs one whatever the event',
  });
}

/** What runs the Pipeline or the Task that files have in place of a run. */
function howToStart(root: string, files: readonly string[]): string | undefined {
  for (const file of files) {
    const documents = loadDocuments(root, file, []);
    const found = documents.find((document) => ['Pipeline', 'Task'].includes(document.get('kind').text()));
    if (found === undefined) continue;
    const kind = found.get('kind').text();
    const name = found.get('metadata', 'name').text();
    const path = relative('', resolve(root, file));
    return `tekton-local start ${kind.toLowerCase()} ${name} -f ${path} runs that ${kind}`;
  }
  return undefined;
}

/** Folders as the files in them. Throws `FILE_NOT_READABLE` for what is outside the checkout folder. */
export function filesOf(paths: readonly string[], root: string | undefined): { root: string; files: string[] } {
  const found = inCheckout(root, paths.length === 0 ? ['.tekton'] : paths);
  for (const file of found.files) refuseOutside(found.root, file);
  const isFolder = (file: string): boolean =>
    statSync(resolve(found.root, file), { throwIfNoEntry: false })?.isDirectory() === true;
  const files = found.files.flatMap((file) => (isFolder(file) ? yamlFilesBelow(found.root, file) : [file]));
  return { root: found.root, files };
}

function refuseOutside(root: string, file: string): void {
  const path = resolve(root, file);
  // What is not there is told with what else can't be read.
  if (!existsSync(root) || !existsSync(path) || isInside(realpathSync(root), realpathSync(path))) return;
  throw new TektonLocalError('FILE_NOT_READABLE', `${file} is outside ${root}`, {
    hint: '--root FOLDER names a folder that all of them are in',
  });
}

/** What the options say of an event. */
export function eventOptions(
  root: string,
  values: EventValues,
): Parameters<typeof import('../pac/context.ts').pacContext>[0] {
  return {
    root,
    event: values.event,
    headers: named('--header', values.header, String),
    changed: values.changed,
    comment: values.comment,
    targetBranch: values['target-branch'],
    repository: values.repository,
    secrets: named('--secret', values.secret, String),
    variables: named('--variable', values.variable, String),
  };
}

function asksForEvent({ event, header, changed, comment, repository, ...values }: EventValues): boolean {
  return [event, header, changed, comment, repository, values['target-branch']].some((value) => value !== undefined);
}

/** The runs of a file. `asksEvent`: an annotation or an expression of it asks for an event. */
function runsIn(root: string, file: string): { file: string; asksEvent: boolean }[] {
  return runsAtSight(root, file) ?? runsRead(root, file);
}

/**
 * What can be seen without reading the YAML, which the plan does anyway: of files as everybody writes them, with `kind` at
 * the start of a line. Undefined for others.
 */
function runsAtSight(root: string, file: string): { file: string; asksEvent: boolean }[] | undefined {
  const text = loadText(root, file);
  if (/^[{["'?%\t&!<]|^['"]?kind['"]?\s+:/m.test(text)) return undefined;
  const asks = /\{\{\s*(?:body|headers|files|cel:)/.test(text);
  const found: { file: string; asksEvent: boolean }[] = [];
  for (const document of text.split(/^---.*$/m)) {
    if (!/^[^#\s]/m.test(document)) continue;
    const [kind, another] = document.matchAll(/^kind:[ \t]+(\w+)[ \t]*(?:#.*)?$/gm);
    if (kind === undefined || another !== undefined) return undefined;
    if (kind[1] !== 'PipelineRun' && kind[1] !== 'TaskRun') continue;
    found.push({ file, asksEvent: asks || document.includes(`${PAC}on-`) });
  }
  return found;
}

function runsRead(root: string, file: string): { file: string; asksEvent: boolean }[] {
  let asks = false;
  const documents = loadDocuments(root, file, [], (name) => {
    asks ||= /^(?:body|headers|files|cel:)/.test(name);
    return 'x';
  });
  return documents
    .filter((document) => isRun(document))
    .map((document) => {
      const annotations = document.get('metadata', 'annotations').entries();
      return { file, asksEvent: asks || annotations.some(([key]) => key.startsWith(`${PAC}on-`)) };
    });
}
