import { basename, dirname, resolve } from 'node:path';
import { printable } from '@multi-image/kit/terminal';
import { stringify } from 'yaml';
import { TektonLocalError } from '../errors.ts';
import type { Field } from '../plan/yaml/field.ts';
import { loadDocuments } from '../plan/yaml-file.ts';
import { COMMON, EVENT, GIVEN, pairs, parseOptions, RUNNING, type Values } from './options.ts';
import { GIVEN_TEXT, RUN_TEXT, runAll, runOptionsOf } from './run.ts';
import { filesOf } from './which-runs.ts';

export const USAGE = `tekton-local start pipeline|task NAME -f FILE… [options]  run a Pipeline or a Task without a run's file

  -f, --filename FILE|FOLDER  where it is, and what it names
  -p, --param NAME=VALUE   a param; of an array a,b,c, of an object key1:value1,key2:value2
  -w, --workspace …        name=NAME,emptyDir=  name=NAME,folder=FOLDER  name=NAME,claimName=NAME  name=NAME,secret=NAME
                           name=NAME,config=NAME  name=NAME,volumeClaimTemplateFile=FILE, each with ,subPath=PATH; or
                           NAME=FOLDER
  -l, --labels KEY=VALUE   a label of the run
  -s, --serviceaccount NAME  has no effect here
  --prefix-name NAME       how the run is called (default: NAME-run)
  --pipeline-timeout D, --tasks-timeout D, --finally-timeout D, --timeout D (of a task)
  --use-param-defaults, --skip-optional-workspace, --showlog  are what is done anyway
  --dry-run                print the run in place of running it
${GIVEN_TEXT}${RUN_TEXT}`;

// The run is called as --prefix-name says.
const { name: _, ...REPLACED } = GIVEN;

const OPTIONS = {
  ...COMMON,
  ...RUNNING,
  ...REPLACED,
  root: EVENT.root,
  secret: EVENT.secret,
  filename: { type: 'string', short: 'f', multiple: true },
  labels: { type: 'string', short: 'l', multiple: true },
  serviceaccount: { type: 'string', short: 's' },
  'prefix-name': { type: 'string' },
  'pipeline-timeout': { type: 'string' },
  'tasks-timeout': { type: 'string' },
  'finally-timeout': { type: 'string' },
  timeout: { type: 'string' },
  'use-param-defaults': { type: 'boolean' },
  'skip-optional-workspace': { type: 'boolean' },
  showlog: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;
type StartValues = Values<typeof OPTIONS>;

/** Runs a Pipeline or a Task by a run that is made of the options, as `tkn pipeline start` makes it. */
export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const [noun, given, ...rest] = positionals;
  const kind = noun === 'pipeline' ? 'Pipeline' : noun === 'task' ? 'Task' : undefined;
  const paths = values.filename ?? [];
  if (kind === undefined || rest.length > 0 || paths.length === 0) {
    throw new TektonLocalError('USAGE', 'expected: tekton-local start pipeline|task NAME -f FILE', {
      hint: 'tekton-local start --help',
    });
  }
  const { root, files } = filesOf(paths, values.root);
  const found = find(root, files, kind, given);
  const name = String(found.get('metadata', 'name').value);
  const folders: Record<string, string> = {};
  const made = runOf(kind, name, found, values, folders);
  if (values['dry-run']) {
    process.stdout.write(printable(stringify(made), '\n'));
    return 0;
  }
  const [file = ''] = files;
  const options = { ...runOptionsOf({ ...values, param: [], workspace: [] }), workspaces: folders };
  return await runAll(
    { root, runs: [{ file, run: made }], beside: files, variables: {}, notes: [] },
    values,
    options,
    signal,
  );
}

function find(root: string, files: readonly string[], kind: 'Pipeline' | 'Task', name: string | undefined): Field {
  const all = files
    .flatMap((file) => loadDocuments(root, file, []))
    .filter((document) => document.get('kind').value === kind);
  const named = name === undefined ? all : all.filter((document) => document.get('metadata', 'name').value === name);
  const [found, another] = named;
  if (found !== undefined && another === undefined) return found;
  throw new TektonLocalError(
    'NOT_FOUND',
    `there is ${found === undefined ? 'no' : 'more than one'} ${kind} ${name ?? ''}`,
    {
      expected: `one in ${files.map((file) => basename(file)).join(', ')}`,
      found: all.map((document) => document.get('metadata', 'name').value).join(', ') || 'none',
    },
  );
}

function runOf(
  kind: 'Pipeline' | 'Task',
  name: string,
  found: Field,
  values: StartValues,
  folders: Record<string, string>,
): object {
  const types = new Map(
    found
      .get('spec', 'params')
      .list()
      .map((param) => [param.get('name').value, typeOfSpec(param)]),
  );
  const params = pairs('--param', values.param).map(([param, text]) => ({
    name: param,
    value: paramOf(text, types.get(param)),
  }));
  const workspaces = (values.workspace ?? []).flatMap((text) => workspaceOf(text, folders));
  const account = values.serviceaccount;
  const metadata = {
    name: values['prefix-name'] ?? `${name}-run`,
    labels: Object.fromEntries(
      pairs(
        '--labels',
        values.labels?.flatMap((text) => text.split(',')),
      ),
    ),
  };
  if (kind === 'Task') {
    const spec = { taskRef: { name }, params, workspaces, timeout: values.timeout, serviceAccountName: account };
    return plain({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', metadata, spec });
  }
  const timeouts = {
    pipeline: values['pipeline-timeout'] ?? values.timeout,
    tasks: values['tasks-timeout'],
    finally: values['finally-timeout'],
  };
  const spec = {
    pipelineRef: { name },
    params,
    workspaces,
    timeouts,
    taskRunTemplate: account === undefined ? undefined : { serviceAccountName: account },
  };
  return plain({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata, spec });
}

/** Without what is undefined: the run is YAML. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

function typeOfSpec(param: Field): string {
  const type = param.get('type').value;
  if (typeof type === 'string') return type;
  const value = param.get('default').value;
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' && value !== null ? 'object' : 'string';
}

/** A param's value as tkn takes it. */
function paramOf(text: string, type: string | undefined): string | string[] | Record<string, string> {
  if (type === 'array') return text === '' ? [] : text.split(',').map((item) => item.trim());
  if (type !== 'object') return text;
  return Object.fromEntries(
    text.split(',').map((item) => {
      const at = item.indexOf(':');
      if (at > 0) return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
      throw new TektonLocalError('USAGE', 'an object param needs key1:value1,key2:value2', { found: text });
    }),
  );
}

/** A binding as tkn writes it; a folder of this machine is bound by `folders`. */
function workspaceOf(text: string, folders: Record<string, string>): object[] {
  if (!/^name=[^,]*,/.test(text)) {
    for (const [name, folder] of pairs('--workspace', [text])) folders[name] = folder;
    return pairs('--workspace', [text]).map(([name]) => ({ name, emptyDir: {} }));
  }
  const parts = new Map(pairs('--workspace', text.split(',')));
  const name = parts.get('name') ?? '';
  const folder = parts.get('folder');
  if (folder !== undefined) folders[name] = folder;
  const [claimName, secretName, config, template] = ['claimName', 'secret', 'config', 'volumeClaimTemplateFile'].map(
    (key) => parts.get(key),
  );
  const binding = {
    persistentVolumeClaim: claimName === undefined ? undefined : { claimName },
    secret: secretName === undefined ? undefined : { secretName },
    configMap: config === undefined ? undefined : { name: config },
    volumeClaimTemplate: template === undefined ? undefined : claimIn(template),
    emptyDir: parts.has('emptyDir') || folder !== undefined ? {} : undefined,
  };
  const known = ['name', 'folder', 'claimName', 'secret', 'config', 'emptyDir', 'volumeClaimTemplateFile', 'subPath'];
  const unknown = [...parts.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined || Object.values(binding).filter((value) => value !== undefined).length !== 1) {
    throw new TektonLocalError('USAGE', `--workspace binds ${name} to one of: ${known.slice(1, -1).join(', ')}`, {
      found: text,
    });
  }
  return [{ name, subPath: parts.get('subPath'), ...binding }];
}

/** The PersistentVolumeClaim of a file. */
function claimIn(path: string): unknown {
  const [document] = loadDocuments(dirname(resolve(path)), basename(path), []);
  return document?.value;
}
