import type { TaskFailure } from './objects.ts';

/** Where a test lets something go otherwise than well. */
export interface Misfortunes {
  /** The build service can't set up Pipelines as Code. */
  configureError?: string;
  /** The build service refuses a build that is asked for. */
  triggerError?: { component: string; message: string; isOfPipeline?: boolean };
  /** The build service can't reach Pipelines as Code. */
  noIncoming?: boolean;
  /** The organisation in which the image controller makes repositories. */
  organisation?: string;
  /** It can't make any. */
  repositoryError?: string;
  /** It can't make any now. */
  registryDown?: boolean;
  /** Why none that is public may become private. */
  noPrivate?: string;
  /** Finalizers let go of what was deleted only then. */
  mayGo?: () => Promise<unknown>;
  /** Konflux never links this secret. */
  unlinked?: string;
  /** A component's run that was asked for appears only then. */
  mayStart?: (component: string) => Promise<unknown>;
  failingTask?: TaskFailure;
  /** Fails this often before it goes well; Tekton tries again in the same TaskRun. */
  retriedTask?: { component: string; task: string; times: number };
  /** The run ends with this reason, after its tasks or before the first. */
  runReason?: { component: string; reason: string; message?: string; early?: boolean };
  /** Its run and all that belongs to it goes as soon as it is over. */
  pruned?: string;
  /** What Chains writes; silent: nothing. */
  chains?: string | undefined;
  noSnapshot?: boolean;
  /** The scanner's Snapshot holds this image for it. */
  snapshotImage?: string;
  /** The outcome of the required scenario. */
  test?: string | undefined;
  /** It failed at once: only the Snapshot's conditions say so, and the scenario's outcome is as it is given. */
  atOnce?: boolean;
  /** The outcome of the scenario that makes the chain's Snapshot, which makes none then. */
  maker?: string;
  /** No Release is made of a Snapshot that may be released, and this is why. */
  notReleased?: string;
  /** What is wrong with a ReleasePlan, of which no Release is made then. */
  brokenPlan?: string;
  /** What keeps a Release from being released. */
  release?: ReleaseTrouble;
  /** Called when a task of a run began, which ends only after it; a test drops connections here. */
  onStep?: (component: string, task: string) => unknown;
  /** Milliseconds between steps. */
  pace?: number;
  /** A long run: so many more tasks, each of which changes so often while it runs, and is so big (bytes). */
  long?: { tasks: number; changes: number; size: number };
}

/** What keeps a Release from being released. */
export interface ReleaseTrouble {
  /** It is not valid, and why. */
  invalid?: string;
  /** This pipeline of its fails: the last words of its task's log, which are kept of the tenant's own alone. */
  pipeline?: 'tenant' | 'managed';
  log?: string;
  /** Somebody deletes it while its pipeline runs, which is when this is over. */
  deleted?: () => Promise<unknown>;
}

/** Does work when something that a test makes wait is over; at once where nothing does. */
export function after(wait: unknown, work: () => void): void {
  if (wait instanceof Promise) wait.then(work, () => {});
  else work();
}
