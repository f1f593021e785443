import { KONFLUX } from '../../../kit/src/konflux.ts';
import { PAC, TEKTON } from '../../../kit/src/tekton.ts';
import { textsOf, type Values } from './type-hints.ts';

/** What a run's provenance says about how the run came about. */
export interface RunEvent {
  readonly labels: Values;
  readonly annotations: Values;
  readonly params: Values;
}

// Pipelines as Code sets this on every run that it starts for a pull or merge request, whatever the event was: also for one
// that a comment started (pkg/kubeinteraction/labels.go). On GitHub a push of what was merged has it, too: the number of the
// pull request that the commit came by (pkg/provider/github/parse_payload.go).
const NUMBER = `${PAC}pull-request`;
// What Konflux' and our own PipelineRuns of pull requests carry.
const NUMBERS = [KONFLUX.pullRequestNumber, 'build.appstudio.openshift.io/pull_request_number'];
const EVENT_TYPE = `${PAC}event-type`;
const REQUEST_EVENT = /pull|merge|note/i;
const BRANCH = `${PAC}branch`;
const COMMIT = `${PAC}sha`;
const FORGE = `${PAC}git-provider`;
const BRANCHES = [`${PAC}source-branch`, BRANCH];
const NAMES = [TEKTON.pipeline, `${PAC}original-prname`];
const REQUEST_NAME = /on-pull-request/;
const REQUEST_TAG = /:on-pr-[^:@/]*$/;

/** A branch of GitHub's that is pushed to try a pull request that is not merged yet. */
export const MERGE_QUEUE: RegExp = /^(?:refs\/heads\/)?gh-readonly-queue\//;

/**
 * The branch that was pushed to, or that a pull request is to be merged into; undefined where the run does not say it as one
 * text. By its annotation alone, which Pipelines as Code sets whatever the PipelineRun of the commit had there: it leaves a
 * label of that name as it finds it.
 */
export function branchOf({ annotations }: RunEvent): string | undefined {
  const value = annotations.get(BRANCH);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * The commit that the event was about: that of the branch, or the pull request's; undefined where the run does not say it.
 * Not always the one that was built: a comment on a pushed commit may have `{{ revision }}` be another (`/test name
 * revision=…`), and who may comment is asked less than who may push. By the annotation alone, since labels are cut off.
 */
export function commitOf({ annotations }: RunEvent): unknown {
  return annotations.get(COMMIT);
}

/**
 * Whether what the run names as its branch may be a tag of that name, which more people may push: Bitbucket Cloud calls an
 * annotated tag otherwise than Pipelines as Code knows (pkg/provider/bitbucketcloud/parse_payload.go).
 */
export function mayBeTag({ annotations }: RunEvent): boolean {
  return annotations.get(FORGE) === 'bitbucket-cloud';
}

/** Whether both are of one branch: Pipelines as Code names it with `refs/heads/` or without, by how the run was matched. */
export function isSameBranch(one: string, other: string): boolean {
  const nameOf = (branch: string): string => branch.replace(/^refs\/heads\//, '');
  return nameOf(one) === nameOf(other);
}

/** Whether that is how Pipelines as Code calls a push: GitHub's and others', and GitLab's. */
export function isPushEvent(event: string): boolean {
  return event === 'push' || event === 'Push';
}

/**
 * What tells that a run built a pull request, or undefined. Its code was proposed by somebody, and may have been reviewed
 * by nobody. What tells it was signed with the run: its labels and annotations, its pipeline's name, and the tag of the
 * images that it pushed. SLSA v1 with Chains' plain build type leaves out labels and annotations: then only the latter.
 */
export function pullRequestOf({ labels, annotations, params }: RunEvent): string | undefined {
  const both = [labels, annotations];
  const events = both.flatMap((values) => textsOf(values.get(EVENT_TYPE)));
  const numbers = events.length > 0 && events.every(isPushEvent) ? NUMBERS : [NUMBER, ...NUMBERS];
  for (const values of both) {
    const has = (key: string, pattern: RegExp): boolean => textsOf(values.get(key)).some((text) => pattern.test(text));
    const key =
      numbers.find((number) => has(number, /./s)) ??
      [EVENT_TYPE].find((type) => has(type, REQUEST_EVENT)) ??
      BRANCHES.find((branch) => has(branch, MERGE_QUEUE)) ??
      NAMES.find((name) => has(name, REQUEST_NAME));
    if (key !== undefined) return `${key}: ${textsOf(values.get(key)).join(' ')}`;
  }
  const [pushed] = [...params].filter(([, value]) => textsOf(value).some((text) => REQUEST_TAG.test(text)));
  return pushed === undefined ? undefined : `the parameter ${pushed[0]}: ${textsOf(pushed[1]).join(' ')}`;
}
