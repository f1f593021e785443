import { readComment } from './comment.ts';

/** The files that an event changed, as paths in the repository. */
export interface ChangedFiles {
  readonly all: readonly string[];
  readonly added: readonly string[];
  readonly deleted: readonly string[];
  readonly modified: readonly string[];
  readonly renamed: readonly string[];
}

/** What Pipelines as Code knows of a webhook's event, or would know of the state of a checkout. */
export interface PacEvent {
  /** Where it is from, for a person: `push in event.json (GitHub)`. */
  readonly from: string;
  /** What `on-event` names, and `event` in CEL. */
  readonly trigger: 'push' | 'pull_request';
  /** `event_type` in CEL: the trigger, or a finer word such as `pull_request_labeled` or `test-all-comment`. */
  readonly type: string;
  readonly revision?: string | undefined;
  /** Of the pull request, or the commit's message. */
  readonly title?: string | undefined;
  /** The commit's whole message, where that of a pull request may ask for no run. */
  readonly message?: string | undefined;
  readonly sender?: string | undefined;
  /** The branch that is pushed to or merged into; of a webhook's push with `refs/heads/` or `refs/tags/`. */
  readonly baseBranch?: string | undefined;
  readonly headBranch?: string | undefined;
  /** Of a pull request: the repository that the webhook is from. */
  readonly repositoryUrl?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly headUrl?: string | undefined;
  readonly owner?: string | undefined;
  readonly repository?: string | undefined;
  readonly pullRequest?: number | undefined;
  readonly labels: readonly string[];
  readonly comment?: string | undefined;
  /** The run that the comment names: it is started whatever its annotations say. */
  readonly run?: string | undefined;
  /** Whether the comment ends what runs, and starts nothing. */
  readonly cancels?: boolean | undefined;
  /** The webhook's body and headers; none of a checkout. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent where nobody said them, and the commits are not in the checkout. */
  readonly changed?: ChangedFiles | undefined;
}

/** All files as changed in one way that nobody knows. */
export function changedFiles(paths: readonly string[]): ChangedFiles {
  return { all: paths, added: [], deleted: [], modified: paths, renamed: [] };
}

/** The event of a comment on a pull request or on a pushed commit. */
export function withComment(event: PacEvent, comment: string, prefix?: string): PacEvent {
  const { type, run, cancels } = readComment(comment, prefix);
  const branches =
    event.trigger === 'push'
      ? {
          baseBranch: event.baseBranch && withoutHeads(event.baseBranch),
          headBranch: event.headBranch && withoutHeads(event.headBranch),
        }
      : {};
  return { ...event, ...branches, comment, type, run, cancels };
}

export function withoutHeads(branch: string): string {
  return branch.replace(/^refs\/heads\//, '');
}

/** Whether Pipelines as Code asks the git provider for the message of the commit, which the webhook has not. */
export function lacksMessage({ trigger, title, message }: PacEvent): boolean {
  return message === undefined && (trigger === 'pull_request' || title === undefined);
}

/** The event with the message of its commit, which a push has as its title. */
export function withMessage(event: PacEvent, message: string | undefined): PacEvent {
  if (message === undefined) return event;
  const title = event.trigger === 'push' ? (event.title ?? message.split('\n')[0]) : event.title;
  return { ...event, title, message };
}
