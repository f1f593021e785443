import { type CelExpression, parseCel } from '../cel/cel.ts';
import type { ChangedFiles, PacEvent } from './event.ts';
import { matchesGlob } from './glob.ts';
import { withoutHeads } from './variables.ts';

const NO_FILES: ChangedFiles = { all: [], added: [], deleted: [], modified: [], renamed: [] };

/** What `on-cel-expression` may name. */
const MATCHING = {
  event: 'string',
  event_type: 'string',
  event_title: 'string',
  target_branch: 'string',
  source_branch: 'string',
  target_url: 'string',
  source_url: 'string',
  headers: 'map',
  body: 'map',
  files: 'map',
} as const;

/** Thrown where an answer depends on the files that an event changed, and nobody knows those. */
export class FilesUnknown extends Error {
  override readonly name = 'FilesUnknown';
}

/**
 * Whether an `on-cel-expression` is true of an event.
 *
 * @param params Custom params of the Repository, and what they are beside.
 * @throws CelError, or FilesUnknown
 */
export function celStarts(expression: string, event: PacEvent, params: Readonly<Record<string, string>>): boolean {
  const own = Object.fromEntries(Object.entries(params).filter(([name]) => !Object.hasOwn(MATCHING, name)));
  const parsed = parseCel(expression, {
    variables: { ...MATCHING, ...Object.fromEntries(Object.keys(own).map((name) => [name, 'string' as const])) },
    functions: { pathChanged: (pattern) => filesOf(event).all.some((file) => matchesGlob(pattern, file)) },
  });
  // A label that was added starts nothing that does not ask for labels.
  const asksForLabels = parsed.names('event_type') || parsed.takes('labels', 'pull_request_labels');
  if (event.type === 'pull_request_labeled' && !asksForLabels) return false;
  const branch = (name: string | undefined, variable: string): string =>
    event.trigger === 'push' && parsed.names(variable) && !namesHeads(parsed) ? withoutHeads(name ?? '') : (name ?? '');
  const values = {
    ...own,
    event: event.trigger,
    event_type: event.type,
    event_title: event.title ?? '',
    target_branch: branch(event.baseBranch, 'target_branch'),
    source_branch: branch(event.headBranch, 'source_branch'),
    target_url: event.baseUrl ?? '',
    source_url: event.headUrl ?? '',
    headers: Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: event.body ?? {},
    files: parsed.names('files') ? filesOf(event) : NO_FILES,
  };
  return parsed.evaluate(values) === true;
}

function namesHeads(parsed: CelExpression): boolean {
  return parsed.texts.some((text) => text.includes('refs/heads/'));
}

/** The files that an event changed. Throws {@link FilesUnknown}. */
export function filesOf({ changed, trigger }: PacEvent): ChangedFiles {
  if (trigger === 'pull_request_closed') return NO_FILES;
  if (changed === undefined) throw new FilesUnknown('the commits are not in this checkout; give --changed PATH');
  return changed;
}

/** What `{{ cel: … }}` and the filters of params may name beside the variables. */
const TEMPLATE_VARIABLES = (
  'event event_type target_branch source_branch target_url source_url event_title revision repo_owner repo_name sender ' +
  'repo_url git_tag target_namespace trigger_comment pull_request_labels pull_request_number git_auth_secret'
).split(' ');

/**
 * The value of an expression in `{{ body.… }}`, `{{ headers[…] }}`, `{{ files.… }}` or `{{ cel: … }}`.
 *
 * @param params What `pac.name` and the variables stand for.
 * @throws CelError, or FilesUnknown
 */
export function templateValue(expression: string, event: PacEvent, params: Readonly<Record<string, string>>): unknown {
  const texts = Object.fromEntries(TEMPLATE_VARIABLES.map((name) => [name, params[name] ?? '']));
  const parsed = parseCel(expression, {
    variables: {
      ...Object.fromEntries(TEMPLATE_VARIABLES.map((name) => [name, 'string' as const])),
      body: 'map',
      headers: 'map',
      pac: 'map',
      files: 'map',
    },
  });
  const files = parsed.names('files') ? filesOf(event) : NO_FILES;
  return parsed.evaluate({ ...texts, body: event.body ?? {}, headers: event.headers, pac: params, files });
}
