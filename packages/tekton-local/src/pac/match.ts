import { reasonOf } from '@multi-image/kit/errors';
import { PAC } from '@multi-image/kit/tekton';
import { RE2JS } from 're2js';
import { CelError } from '../cel/cel.ts';
import type { PacEvent } from './event.ts';
import { GlobUnknown, matchesGlob } from './glob.ts';
import { celStarts, FilesUnknown, filesOf } from './pac-cel.ts';

/** Whether an event starts a PipelineRun, and why. */
export interface Decision {
  readonly starts: boolean;
  readonly why: string;
  /** Whether that can't be known on this machine: files that nobody knows, or an expression that can't be evaluated here. */
  readonly unknown?: boolean;
}

export type Annotations = Readonly<Record<string, string>>;

/** What came of looking at all runs once. */
export interface Matching {
  readonly decisions: readonly Decision[];
  /** The event as it is afterwards: Pipelines as Code changes what it looks at. */
  readonly event: PacEvent;
  /** Why nothing is started, whatever the decisions. */
  readonly stopped?: string | undefined;
}

/**
 * Decides by the annotations of PipelineRuns, in their order, as Pipelines as Code does.
 *
 * @param customParams Of the Repository, in an event: what `on-cel-expression` may name beside the event's.
 */
export function matchRuns(
  runs: readonly Annotations[],
  event: PacEvent,
  customParams: (event: PacEvent) => Readonly<Record<string, string>>,
): Matching {
  let now = event;
  let params = customParams(event);
  const decisions: Decision[] = [];
  for (const annotations of runs) {
    try {
      const { decision, after } = decide((name) => annotations[`${PAC}${name}`], now, params);
      if (after.type !== now.type) params = customParams(after);
      now = after;
      decisions.push(decision);
    } catch (error) {
      if (error instanceof FilesUnknown || error instanceof GlobUnknown)
        decisions.push({ ...no(reasonOf(error)), unknown: true });
      else if (error instanceof WrongAnnotation) {
        decisions.push(no(error.message));
        const rest = runs.slice(decisions.length).map(() => no('it is not looked at'));
        return { decisions: [...decisions, ...rest], event: now, stopped: error.message };
      } else throw error;
    }
  }
  return { decisions, event: now };
}

interface Decided {
  readonly decision: Decision;
  readonly after: PacEvent;
}

function decide(
  annotation: (name: string) => string | undefined,
  event: PacEvent,
  params: Readonly<Record<string, string>>,
): Decided {
  const stays = (decision: Decision): Decided => ({ decision, after: event });
  const comment = annotation('on-comment');
  if (comment !== undefined) {
    const pattern = patternOf(comment);
    if (pattern === undefined) return stays(no(`its on-comment is no pattern: ${comment}`));
    // Also where there is no comment, which is an empty one.
    if (pattern.matcher((event.comment ?? '').trim()).find()) {
      return { decision: yes(`on-comment matches: ${comment}`), after: { ...event, type: 'on-comment' } };
    }
  }
  if (event.type === 'no-ops-comment' || event.type === 'on-comment') {
    return stays(no(`its on-comment ${comment ?? '(there is none)'} is not the comment`));
  }
  const expression = annotation('on-cel-expression');
  return expression === undefined ? stays(decideByLists(annotation, event)) : decideByCel(expression, event, params);
}

function decideByCel(expression: string, event: PacEvent, params: Readonly<Record<string, string>>): Decided {
  const shown = expression.replaceAll(/\s+/g, ' ').trim();
  try {
    const { is, after, error } = celStarts(expression, event, params);
    if (error !== undefined) return { decision: wrong(error, shown), after };
    return { decision: is ? yes(`true: ${shown}`) : no(`not true: ${shown}`), after };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { decision: wrong(error, shown), after: event };
  }
}

function decideByLists(annotation: (name: string) => string | undefined, event: PacEvent): Decision {
  const labels = annotation('on-label');
  if (event.trigger === 'pull_request' && event.type === 'pull_request_labeled' && labels === undefined) {
    return no('it has no on-label');
  }
  const events = annotation('on-event');
  const branches = annotation('on-target-branch');
  if (events !== undefined && !listed('on-event', events).includes(event.trigger)) {
    return no(`on-event ${events} is not ${event.trigger}`);
  }
  const base = event.baseBranch ?? '';
  if (
    branches !== undefined &&
    !listed('on-target-branch', branches)
      .map((branch) => isBranch(branch, base))
      .includes(true)
  ) {
    return no(`on-target-branch ${branches} is not ${base || '(there is no branch)'}`);
  }
  if (events === undefined || branches === undefined) {
    return no('it needs both on-event and on-target-branch, or on-cel-expression: no event starts it');
  }
  const paths = annotation('on-path-change');
  if (paths !== undefined && !anyFile(listed('on-path-change', paths), event)) {
    return no(`no file that was changed is in on-path-change ${paths}`);
  }
  if (labels !== undefined && !listed('on-label', labels).some((label) => event.labels.includes(label))) {
    return no(`on-label ${labels} is not among the labels ${event.labels.join(', ') || '(none)'}`);
  }
  const ignored = annotation('on-path-change-ignore');
  if (ignored !== undefined && anyFile(listed('on-path-change-ignore', ignored), event)) {
    return no(`a file that was changed is in on-path-change-ignore ${ignored}`);
  }
  return yes(`on-event ${events}, on-target-branch ${branches}`);
}

/** Pipelines as Code says so and goes on with the next run. */
function wrong(error: CelError, expression: string): Decision {
  const decision = no(`${error.message}: ${expression}`);
  return error.isLimit ? { ...decision, unknown: true } : decision;
}

const yes = (why: string): Decision => ({ starts: true, why });
const no = (why: string): Decision => ({ starts: false, why });

/** What makes Pipelines as Code give up on all runs. */
class WrongAnnotation extends Error {
  override readonly name = 'WrongAnnotation';
}

/** `a` or `[a, b]`; `&#44;` is a comma. */
function listed(name: string, text: string): string[] {
  const trimmed = text.trim();
  const inner = /^\[(.*)\]$/.exec(trimmed)?.[1];
  if (inner === undefined && !/^[^[\]\t\n\f\r ]*$/.test(trimmed)) {
    throw new WrongAnnotation(`${name} is neither a word nor a list in brackets: ${text}`);
  }
  if (inner === undefined) return [trimmed.replaceAll('&#44;', ',')];
  const items = inner.split(',').map((item) => item.replaceAll('&#44;', ',').trim());
  if (items[0] === '') throw new WrongAnnotation(`${name} is empty`);
  return items;
}

/** A pattern of a branch, a tag or, with the same rules, a path. */
function isBranch(pattern: string, name: string): boolean {
  const isRef = (text: string): boolean => /^refs\/(?:heads|tags)\//.test(text);
  const long = isRef(name) ? name : `refs/heads/${name}`;
  try {
    const matches = pattern.startsWith('refs/tags/')
      ? matchesGlob(pattern, name)
      : matchesGlob(isRef(pattern) ? pattern : `refs/heads/${pattern}`, long);
    return matches || pattern === name;
  } catch (error) {
    if (error instanceof GlobUnknown) throw error;
    throw new WrongAnnotation(`${pattern} is no pattern, which Pipelines as Code ends at`, { cause: error });
  }
}

function anyFile(patterns: readonly string[], event: PacEvent): boolean {
  const { all } = filesOf(event);
  // Each pattern is looked at, also behind one that fits.
  return patterns.map((pattern) => all.map((file) => isBranch(pattern, file)).includes(true)).includes(true);
}

function patternOf(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}
