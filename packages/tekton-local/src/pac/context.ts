import { TektonLocalError } from '../errors.ts';
import type { Field } from '../plan/yaml/field.ts';
import { loadDocuments, type VariableLookup } from '../plan/yaml-file.ts';
import { changedFiles, lacksMessage, type PacEvent, withComment, withMessage } from './event.ts';
import { changedInGit, eventFromGit, messageInGit } from './git-event.ts';
import { eventVariables } from './repository.ts';
import { templateLookup } from './template.ts';
import { readWebhook } from './webhook.ts';

/** Where an event is from, and what is known beside it. */
export interface EventOptions {
  /** The checkout folder. */
  root: string;
  /** `push` or `pull_request` of the checkout, or the path of a file with a webhook's body. */
  event?: string | undefined;
  /** Headers of the webhook. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Files that were changed, in place of what git says. */
  changed?: readonly string[] | undefined;
  /** A comment on the pull request. */
  comment?: string | undefined;
  /** The branch that the checkout is pushed to, or that its pull request is for. */
  targetBranch?: string | undefined;
  /** A file of the checkout with a Repository of Pipelines as Code. */
  repository?: string | undefined;
  /** Folders that stand for Secrets, by name. */
  secrets?: Readonly<Record<string, string>> | undefined;
  /** Instead of the event's own. */
  variables?: Readonly<Record<string, string>> | undefined;
}

/** An event with all that `{{ … }}` and annotations ask of it. */
export interface PacContext {
  readonly event: PacEvent;
  readonly variables: Readonly<Record<string, string>>;
  readonly lookup: VariableLookup;
  /** Those of the Repository's params that have a value. */
  readonly customParams: Readonly<Record<string, string>>;
  /** Why hardly any variable is known. */
  readonly problem?: string | undefined;
  /** The same of another event. */
  of(event: PacEvent): PacContext;
}

/** Reads an event, its Repository's params and the files that it changed. */
export async function pacContext(options: EventOptions): Promise<PacContext> {
  const { root, event: source = 'push', comment } = options;
  const repository = options.repository === undefined ? undefined : readRepository(root, options.repository);
  const prefix = repository?.get('spec', 'settings', 'gitops_command_prefix').string();
  const isCheckout = source === 'push' || source === 'pull_request';
  const read = isCheckout
    ? await eventFromGit(root, source, options.targetBranch)
    : readWebhook(source, options.headers ?? {});
  const known = lacksMessage(read) ? withMessage(read, await messageInGit(root, read)) : read;
  const changed = options.changed === undefined ? await changedInGit(root, read) : changedFiles(options.changed);
  const event = comment === undefined ? known : withComment(known, comment, prefix);
  return contextOf({ ...event, changed }, repository, options);
}

/** What an event means, with a Repository's document and what stands for its Secrets. */
export function contextOf(
  event: PacEvent,
  repository: Field | undefined,
  options: Pick<EventOptions, 'secrets' | 'variables'>,
): PacContext {
  const { all, custom, problem } = eventVariables(repository, event, options.secrets ?? {});
  const variables = { ...all, ...options.variables };
  const lookup = templateLookup(event, variables);
  return {
    event,
    variables,
    lookup,
    customParams: custom,
    problem,
    of: (other) => contextOf(other, repository, options),
  };
}

function readRepository(root: string, file: string): Field {
  const repository = loadDocuments(root, file, []).find((document) => document.get('kind').value === 'Repository');
  if (repository === undefined) throw new TektonLocalError('NOT_FOUND', `there is no Repository in ${file}`);
  return repository;
}
