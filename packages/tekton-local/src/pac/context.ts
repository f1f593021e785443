import { TektonLocalError } from '../errors.ts';
import { isRun, runName } from '../plan/resolve.ts';
import { loadDocuments, type VariableLookup } from '../plan/yaml-file.ts';
import { changedFiles, type PacEvent } from './event.ts';
import { changedInGit, eventFromGit } from './git-event.ts';
import { type Decision, decide } from './match.ts';
import { repositoryVariables } from './repository.ts';
import { templateLookup } from './template.ts';
import { variablesOf } from './variables.ts';
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
  event: PacEvent;
  variables: Readonly<Record<string, string>>;
  lookup: VariableLookup;
}

/** Reads an event, its Repository's params and the files that it changed. */
export async function pacContext(options: EventOptions): Promise<PacContext> {
  const { root, event: source = 'push', secrets = {} } = options;
  const isCheckout = source === 'push' || source === 'pull_request';
  const read = isCheckout
    ? await eventFromGit(root, source, options.targetBranch)
    : readWebhook(source, options.headers ?? {});
  const changed = options.changed === undefined ? await changedInGit(root, read) : changedFiles(options.changed);
  const event = withComment({ ...read, changed }, options.comment);
  const known = variablesOf(event);
  const params = options.repository === undefined ? known : readRepository(root, options.repository, event, secrets);
  const variables = { ...params, ...options.variables };
  return { event, variables, lookup: templateLookup(event, variables) };
}

/** What comments do that Pipelines as Code knows: they run again what the pull request itself runs. */
const AGAIN = /^\/(?:test|retest|ok-to-test)\b/m;

function withComment(event: PacEvent, comment: string | undefined): PacEvent {
  if (comment === undefined) return event;
  return { ...event, comment, type: AGAIN.test(comment) ? event.type : 'no-ops-comment' };
}

function readRepository(
  root: string,
  file: string,
  event: PacEvent,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  const documents = loadDocuments(root, file, []);
  const repository = documents.find((document) => document.get('kind').value === 'Repository');
  if (repository === undefined) throw new TektonLocalError('NOT_FOUND', `there is no Repository in ${file}`);
  return repositoryVariables(repository, event, variablesOf(event), secrets);
}

/** A PipelineRun of a file, and whether an event starts it. */
export interface Candidate extends Decision {
  file: string;
  name: string;
  /** Whether its annotations say anything about events: a file that is run by hand has none. */
  decides: boolean;
}

/** All PipelineRuns in files of the checkout, in their order; a file that can't be read is one that nobody knows. */
export function candidatesIn(root: string, files: readonly string[], context: PacContext): Candidate[] {
  return files.flatMap((file): Candidate[] => {
    try {
      return loadDocuments(root, file, [], context.lookup)
        .filter(isRun)
        .map((document) => {
          const annotations = document.get('metadata', 'annotations').entries();
          const texts = Object.fromEntries(annotations.map(([key, field]) => [key, field.string() ?? '']));
          const decides = Object.keys(texts).some((key) => key.startsWith('pipelinesascode.tekton.dev/on-'));
          return { file, name: runName(document), decides, ...decide(texts, context.event, context.variables) };
        });
    } catch (error) {
      if (!(error instanceof TektonLocalError)) throw error;
      return [{ file, name: '', decides: true, starts: false, unknown: true, why: error.message }];
    }
  });
}
