import { reasonOf } from '@multi-image/kit/errors';
import { RE2JS } from 're2js';
import { CelError } from '../cel/cel.ts';
import type { PacEvent } from './event.ts';
import { matchesGlob } from './glob.ts';
import { celStarts, FilesUnknown, filesOf } from './pac-cel.ts';

/** Whether an event starts a PipelineRun, and why. */
export interface Decision {
  readonly starts: boolean;
  readonly why: string;
  /** Whether that can't be known: an expression that is wrong, or files that nobody knows. */
  readonly unknown?: boolean;
}

const ANNOTATION = 'pipelinesascode.tekton.dev/';

/** Decides by the annotations of a PipelineRun, as Pipelines as Code does. */
export function decide(
  annotations: Readonly<Record<string, string>>,
  event: PacEvent,
  params: Readonly<Record<string, string>>,
): Decision {
  try {
    return decideOrThrow((name) => annotations[`${ANNOTATION}${name}`], event, params);
  } catch (error) {
    if (error instanceof FilesUnknown || error instanceof CelError || error instanceof WrongAnnotation) {
      return no(reasonOf(error), true);
    }
    throw error;
  }
}

function decideOrThrow(
  annotation: (name: string) => string | undefined,
  event: PacEvent,
  params: Readonly<Record<string, string>>,
): Decision {
  const comment = annotation('on-comment');
  if (comment !== undefined && event.comment !== undefined) {
    if (matchesComment(comment, event.comment)) return yes(`on-comment matches: ${comment}`);
  }
  if (event.type === 'no-ops-comment') return no(`its on-comment ${comment ?? '(there is none)'} is not the comment`);
  const expression = annotation('on-cel-expression');
  if (expression !== undefined) {
    const shown = expression.replaceAll(/\s+/g, ' ').trim();
    try {
      return celStarts(expression, event, params) ? yes(`true: ${shown}`) : no(`not true: ${shown}`);
    } catch (error) {
      if (error instanceof CelError) throw new CelError(`${error.message}: ${shown}`, { cause: error });
      throw error;
    }
  }
  const labels = annotation('on-label');
  if (event.type === 'pull_request_labeled' && labels === undefined) return no('it has no on-label');
  const events = annotation('on-event');
  const branches = annotation('on-target-branch');
  if (events !== undefined && !listed('on-event', events).includes(event.trigger)) {
    return no(`on-event ${events} is not ${event.trigger}`);
  }
  const base = event.baseBranch ?? '';
  if (branches !== undefined && !listed('on-target-branch', branches).some((branch) => isBranch(branch, base))) {
    return no(`on-target-branch ${branches} is not ${base}`);
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

const yes = (why: string): Decision => ({ starts: true, why });
const no = (why: string, unknown = false): Decision => ({ starts: false, why, unknown });

class WrongAnnotation extends Error {
  override readonly name = 'WrongAnnotation';
}

/** `a` or `[a, b]`; `&#44;` is a comma. */
function listed(name: string, text: string): string[] {
  const trimmed = text.trim();
  const inner = /^\[(.*)\]$/s.exec(trimmed)?.[1];
  if (inner === undefined && !/^[^[\]\s]*$/.test(trimmed)) {
    throw new WrongAnnotation(`${name} is neither a word nor a list in brackets: ${text}`);
  }
  const items = inner === undefined ? [trimmed] : inner.split(',').map((item) => item.trim());
  if (inner !== undefined && items[0] === '') throw new WrongAnnotation(`${name} is empty`);
  return items.map((item) => item.replaceAll('&#44;', ','));
}

/** A pattern of a branch, a tag or, with the same rules, a path. */
function isBranch(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  const isRef = (text: string): boolean => /^refs\/(?:heads|tags)\//.test(text);
  const long = isRef(name) ? name : `refs/heads/${name}`;
  try {
    if (pattern.startsWith('refs/tags/')) return matchesGlob(pattern, name);
    return matchesGlob(isRef(pattern) ? pattern : `refs/heads/${pattern}`, long);
  } catch (error) {
    throw new WrongAnnotation(`${pattern} is no pattern`, { cause: error });
  }
}

function anyFile(patterns: readonly string[], event: PacEvent): boolean {
  return filesOf(event).all.some((file) => patterns.some((pattern) => isBranch(pattern, file)));
}

function matchesComment(pattern: string, comment: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(comment.trim()).find();
  } catch {
    // Pipelines as Code warns and goes on.
    return false;
  }
}
