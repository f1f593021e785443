import { CelError, type CelExpression, parseCel } from '../cel/cel.ts';
import { type ChangedFiles, type PacEvent, withoutHeads } from './event.ts';
import { GlobUnknown, matchesGlob } from './glob.ts';
import { ALWAYS_KNOWN, SOMETIMES_KNOWN } from './variables.ts';

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

/** Whether an `on-cel-expression` is true of an event, and that event as Pipelines as Code has it from there on. */
export interface CelDecision {
  readonly is: boolean;
  readonly after: PacEvent;
  /** Why it has no value. */
  readonly error?: CelError;
}

/**
 * Whether an `on-cel-expression` is true of an event.
 *
 * @param params Custom params of the Repository, which it may name as well.
 * @throws CelError, or FilesUnknown
 */
export function celStarts(expression: string, event: PacEvent, params: Readonly<Record<string, string>>): CelDecision {
  const own = Object.fromEntries(Object.entries(params).filter(([name]) => !Object.hasOwn(MATCHING, name)));
  let unknown: unknown;
  const isChanged = (pattern: string): boolean => {
    try {
      return filesOf(event).all.some((file) => matchesGlob(pattern, file));
    } catch (error) {
      if (error instanceof FilesUnknown || error instanceof GlobUnknown) unknown = error;
      throw error;
    }
  };
  const parsed = parseCel(expression, {
    variables: { ...MATCHING, ...Object.fromEntries(Object.keys(own).map((name) => [name, 'string' as const])) },
    functions: { pathChanged: isChanged },
  });
  const shortens = event.trigger === 'push' && !namesHeads(parsed);
  const branch = (name: string | undefined, variable: string): string | undefined =>
    shortens && name !== undefined && parsed.names(variable) ? withoutHeads(name) : name;
  const after = {
    ...event,
    baseBranch: branch(event.baseBranch, 'target_branch'),
    headBranch: branch(event.headBranch, 'source_branch'),
  };
  // A label that was added starts nothing that does not ask for labels.
  const asksForLabels = parsed.names('event_type') || parsed.takes('labels', 'pull_request_labels');
  const isLabeled = event.trigger === 'pull_request' && event.type === 'pull_request_labeled';
  const files = parsed.names('files') ? filesOf(event) : NO_FILES;
  if (isLabeled && !asksForLabels) return { is: false, after };
  const values = {
    ...own,
    event: event.trigger,
    event_type: event.type,
    event_title: event.title ?? '',
    target_branch: after.baseBranch ?? '',
    source_branch: after.headBranch ?? '',
    target_url: event.baseUrl ?? '',
    source_url: event.headUrl ?? '',
    headers: Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: event.body ?? {},
    files,
  };
  try {
    return { is: parsed.evaluate(values) === true, after };
  } catch (error) {
    if (unknown !== undefined) throw unknown;
    if (!(error instanceof CelError)) throw error;
    return { is: false, after, error };
  }
}

function namesHeads(parsed: CelExpression): boolean {
  return parsed.texts.some((text) => text.includes('refs/heads/'));
}

/** The files that an event changed. Throws {@link FilesUnknown}. */
export function filesOf({ changed }: PacEvent): ChangedFiles {
  if (changed === undefined) throw new FilesUnknown('the commits are not in this checkout; give --changed PATH');
  return changed;
}

/** What `{{ cel: … }}` and the filters of params may name beside the variables. */
const TEMPLATE_VARIABLES = [...ALWAYS_KNOWN, ...SOMETIMES_KNOWN];

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
    extended: true,
  });
  const files = parsed.names('files') ? filesOf(event) : NO_FILES;
  return parsed.evaluate({ ...texts, body: event.body ?? {}, headers: event.headers, pac: params, files });
}
