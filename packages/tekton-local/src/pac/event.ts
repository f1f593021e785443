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
  readonly trigger: 'push' | 'pull_request' | 'pull_request_closed';
  /** `event_type`: the trigger, or a finer word such as `pull_request_labeled` or `on-comment`. */
  readonly type: string;
  readonly revision?: string | undefined;
  /** Of the pull request, or the commit's message. */
  readonly title?: string | undefined;
  readonly sender?: string | undefined;
  /** The branch that is pushed to or merged into; of a webhook's push with `refs/heads/` or `refs/tags/`. */
  readonly baseBranch?: string | undefined;
  readonly headBranch?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly headUrl?: string | undefined;
  readonly owner?: string | undefined;
  readonly repository?: string | undefined;
  readonly pullRequest?: number | undefined;
  readonly labels: readonly string[];
  readonly comment?: string | undefined;
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
