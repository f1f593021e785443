import { PAC } from '@multi-image/kit/tekton';
import { TektonLocalError } from '../errors.ts';
import { whyUnread } from '../plan/admit/document.ts';
import { isRun, runName } from '../plan/resolve.ts';
import type { Field } from '../plan/yaml/field.ts';
import { readYaml, YamlError } from '../plan/yaml/kubernetes-yaml.ts';
import { type Checkout, loadDocuments, loadText, type VariableLookup } from '../plan/yaml-file.ts';
import { asksToSkip } from './comment.ts';
import type { PacContext } from './context.ts';
import type { PacEvent } from './event.ts';
import { type Annotations, type Decision, type Matching, matchRuns } from './match.ts';
import { ALWAYS_KNOWN } from './variables.ts';

/** A PipelineRun of a file, and whether an event starts it. */
export interface Candidate extends Decision {
  file: string;
  name: string;
  /** Whether its annotations say anything about events: a file that is run by hand has none. */
  decides: boolean;
}

/** All runs of some files, and the event as it is once they are matched. */
export interface Candidates {
  /** Why Pipelines as Code reads none of the files. */
  readonly unreadable?: string | undefined;
  readonly candidates: readonly Candidate[];
  readonly context: PacContext;
}

/**
 * Says of all runs in files of the checkout, in their order, whether an event starts them. A file that can't be read is one
 * that nobody knows.
 *
 * As Pipelines as Code does it, runs are matched three times: as they are written, which tells whether the event is a
 * comment that one of them waits for; with their variables replaced; and those that match once more, since each time the
 * event may change.
 */
export function candidatesIn(root: Checkout, files: readonly string[], context: PacContext): Candidates {
  const customParams = (event: PacEvent): Readonly<Record<string, string>> => context.of(event).customParams;
  const match = (runs: readonly Read[], event: PacEvent): Matching =>
    matchRuns(
      runs.map(({ annotations }) => annotations),
      event,
      customParams,
    );
  const named = context.event.run;
  const first =
    named === undefined ? match(readAll(root, files, undefined).filter(isStarted), context.event).event : context.event;
  const during = context.of(first);
  // What has no value, though every event has one, stays as it is: whether that matters is asked when it is to run.
  const lookup: VariableLookup = (name) =>
    during.lookup(name) ?? (ALWAYS_KNOWN.has(name) ? `{{ ${name} }}` : undefined);
  const read = readAll(root, files, lookup);
  const runs = read.filter(isStarted);
  const matching: Matching =
    named === undefined ? match(runs, first) : { decisions: runs.map((run) => byName(run, named)), event: first };
  const started = runs.filter((_run, index) => matching.decisions[index]?.starts);
  const last: Matching = named === undefined ? match(started, matching.event) : { decisions: [], event: first };
  const unreadable = whyUnreadable(root, files);
  const stopped = unreadable ?? whyNone(context.event, last.event, runs) ?? matching.stopped ?? last.stopped;
  const decisions = new Map<Read, Decision>([
    ...runs.map((run, index) => [run, matching.decisions[index] ?? NOT_STARTED] as const),
    ...started.flatMap((run, index) =>
      last.decisions[index] === undefined ? [] : [[run, last.decisions[index]] as const],
    ),
  ]);
  const candidates = read.map((run): Candidate => {
    const { file, name, decides } = run;
    const decision = run.problem ?? decisions.get(run) ?? NOT_STARTED;
    const isStopped = stopped !== undefined && (decision.starts || decision.unknown);
    return {
      file,
      name,
      decides,
      unknown: false,
      ...(isStopped ? { starts: false, why: `nothing is started: ${stopped}` } : decision),
    };
  });
  return { candidates, context: context.of(last.event), unreadable };
}

const NOT_STARTED: Decision = { starts: false, why: 'Pipelines as Code starts PipelineRuns alone' };

/** A run as it is read. */
interface Read {
  readonly file: string;
  readonly name: string;
  /** Its `name` and `generateName`, as they are written. */
  readonly names: readonly string[];
  readonly kind: string;
  readonly decides: boolean;
  readonly annotations: Annotations;
  /** Why it could not be read. */
  readonly problem?: Decision | undefined;
}

const isStarted = ({ kind, problem }: Read): boolean => kind === 'PipelineRun' && problem === undefined;

function readAll(root: Checkout, files: readonly string[], lookup: VariableLookup | undefined): Read[] {
  return files.flatMap((file): Read[] => {
    try {
      return loadDocuments(root, file, [], lookup)
        .filter(isRun)
        .map((document) => readRun(document, file));
    } catch (error) {
      if (!(error instanceof TektonLocalError)) throw error;
      // What else is in the file may be started.
      const isAlone = error.code === 'YAML_INVALID' && !/^---\s*$/m.test(loadText(root, file).replace(/^\s*---/, ''));
      const problem: Decision = { starts: false, unknown: !isAlone, why: error.message };
      return [{ file, name: '', names: [], kind: '', decides: true, annotations: {}, problem }];
    }
  });
}

/** Before it replaces anything, Pipelines as Code wants the first document of each file to be YAML. */
function whyUnreadable(root: Checkout, files: readonly string[]): string | undefined {
  for (const file of files) {
    let text = '';
    try {
      const [before = '', first = ''] = loadText(root, file).split(/^---(?:[ \t].*)?$/m);
      text = /^[^#\s]/m.test(before) ? before : first;
      readYaml(text);
    } catch (error) {
      // A file that is not there is told of with the runs.
      if (error instanceof TektonLocalError) continue;
      if (!(error instanceof YamlError)) throw error;
      const hint = text.includes('{{') ? '; {{ … }} has to be inside quotes or beside other text' : '';
      return `${file} is no YAML as it is written: ${error.message}${hint}`;
    }
  }
  return undefined;
}

function readRun(document: Field, file: string): Read {
  const annotations = document.get('metadata', 'annotations').entries();
  const text = (key: string): string => document.get('metadata', key).string() ?? '';
  const kind = document.get('kind').string() ?? '';
  const unread = kind === 'PipelineRun' ? whyUnread(document, kind) : undefined;
  return {
    file,
    name: runName(document),
    names: [text('name'), text('generateName')].filter((name) => name !== ''),
    kind,
    decides: annotations.some(([key]) => key.startsWith(`${PAC}on-`)),
    annotations: Object.fromEntries(annotations.map(([key, field]) => [key, field.string() ?? ''])),
    // Pipelines as Code goes on without it.
    problem: unread === undefined ? undefined : { starts: false, why: `Tekton can't read it: ${unread}` },
  };
}

function byName(run: Read, named: string): Decision {
  const [name = ''] = run.names;
  return name === named
    ? { starts: true, why: 'the comment names it' }
    : { starts: false, why: `the comment names ${named}, and its name is ${name}` };
}

/** Why an event starts nothing, whatever the annotations. */
function whyNone(event: PacEvent, after: PacEvent, runs: readonly Read[]): string | undefined {
  if (event.cancels) return 'the comment is about ending what runs';
  if (event.comment === undefined) {
    const message = event.message ?? (event.type === 'push' ? event.title : undefined);
    // Of a label it is only asked at the end, when one that waits for a comment may have taken it for one.
    const isComment = event.type === 'pull_request_labeled' && after.type === 'on-comment';
    if (!isComment && message !== undefined && asksToSkip(message)) return "the commit's message asks to skip it";
  }
  const names = runs.flatMap((run) => run.names);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? undefined : `two PipelineRuns have the name ${twice}`;
}
