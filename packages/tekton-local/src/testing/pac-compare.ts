import { TektonLocalError } from '../errors.ts';
import { type Candidate, candidatesIn } from '../pac/candidates.ts';
import { contextOf } from '../pac/context.ts';
import { lacksMessage, withComment, withMessage } from '../pac/event.ts';
import { replaceVariables } from '../pac/variables.ts';
import { webhookEvent } from '../pac/webhook.ts';
import { isRun, runName } from '../plan/resolve.ts';
import { loadDocuments } from '../plan/yaml-file.ts';
import type { PacJudgement, PacQuestion } from './pac-judge.ts';

/** What becomes of an event, in the words of either side. */
export interface PacOutcome {
  /** Whether the event is acted on at all. */
  heeded: boolean;
  /** The runs that it starts, with their params; sorted. */
  starts?: readonly string[];
  text?: string | undefined;
  variables?: Readonly<Record<string, string>>;
}

/** A limit of tekton-local's, which it says. */
export interface Limit {
  limit: string;
}

/** What tekton-local makes of a question to Pipelines as Code. */
export function ownOutcome(question: PacQuestion): PacOutcome | Limit {
  const { headers, body, comment, commitMessage, files, folder = [], repository, text } = question;
  try {
    const document =
      repository === undefined
        ? undefined
        : loadDocuments(
            new Map([['r.yaml', JSON.stringify({ kind: 'Repository', spec: repository })]]),
            'r.yaml',
            [],
          )[0];
    const prefix = document?.get('spec', 'settings', 'gitops_command_prefix').string();
    const read = webhookEvent(body as Readonly<Record<string, unknown>>, headers, 'event.json');
    // What a webhook of GitLab says of the commit is what the API would say of it.
    const known = lacksMessage(read) ? withMessage(read, commitMessage ?? '') : read;
    const event = comment === undefined ? known : withComment(known, comment, prefix);
    const changed = files ?? { all: [], added: [], deleted: [], modified: [], renamed: [] };
    const context = contextOf({ ...event, changed }, document, {});
    const { git_auth_secret: _, ...variables } = context.variables;
    const outcome: PacOutcome = { heeded: true, variables };
    if (text !== undefined) {
      outcome.text = replaceVariables(text, (whole, inner) => context.lookup(inner.trim()) ?? whole);
    }
    if (folder.length === 0) return outcome;
    const checkout = new Map(folder.map(({ name, text: content }) => [name, content]));
    const { candidates, context: after } = candidatesIn(checkout, [...checkout.keys()], context);
    const unknown = candidates.find((candidate: Candidate) => candidate.unknown);
    if (unknown !== undefined) return { limit: unknown.why };
    const started = candidates.filter(({ starts }) => starts);
    const says = started.flatMap(({ file, name }) =>
      loadDocuments(checkout, file, [], after.lookup)
        .filter((run) => isRun(run) && runName(run) === name)
        .map((run) => say(name, run.get('spec', 'params').value)),
    );
    return { ...outcome, starts: says.sort() };
  } catch (error) {
    if (!(error instanceof TektonLocalError)) throw error;
    return error.code === 'UNSUPPORTED' ? { limit: error.message } : { heeded: false };
  }
}

/** The same of what Pipelines as Code says. */
export function judgedOutcome(question: PacQuestion, judgement: PacJudgement): PacOutcome {
  const { refused, panic, trigger, variables = {}, text, runs = [] } = judgement;
  // What it crashes with is an answer where a pattern is wrong, and else something that the judge has not.
  if (panic !== undefined && !GLOB_ERRORS.test(panic)) throw new Error(panic);
  // It is heeded, to end what runs.
  if (trigger === 'pull_request_closed' && runs.length === 0) return { heeded: false };
  // The controller looks at the message of a commit only where a folder is to be matched.
  if (refused !== undefined && refused !== 'skip ci') return { heeded: false };
  const outcome: PacOutcome = { heeded: true, variables };
  if (question.text !== undefined) outcome.text = text ?? '';
  if (question.folder === undefined) return outcome;
  const says = runs.map(({ metadata, spec }) => {
    const name = metadata.annotations?.['pipelinesascode.tekton.dev/original-prname'] ?? '';
    return say(name.replace(/-$/, ''), spec.params);
  });
  return { ...outcome, starts: says.sort() };
}

const GLOB_ERRORS = /unexpected|expected|syntax|parse/;

function say(name: string, params: unknown): string {
  return `${name} ${withoutSpaces(JSON.stringify(params))}`;
}

/** Pipelines as Code's JSON has spaces here and there, by the build of it. */
export function withoutSpaces(text: string | undefined): string | undefined {
  return text?.replaceAll(/([,:]) /g, '$1');
}
