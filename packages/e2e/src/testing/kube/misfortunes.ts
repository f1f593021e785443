import type { TaskFailure } from './objects.ts';

/** Where a test lets something go otherwise than well. */
export interface Misfortunes {
  /** The build service can't set up Pipelines as Code. */
  configureError?: string;
  /** The build service refuses a build that is asked for. */
  triggerError?: { component: string; message: string };
  /** The organisation in which the image controller makes repositories. */
  organisation?: string;
  /** It can't make any. */
  repositoryError?: string;
  /** Milliseconds until finalizers let go of what was deleted. */
  goesAfter?: number;
  /** Konflux never links this secret. */
  unlinked?: string;
  /** Milliseconds until a component's run appears that was asked for. */
  startsAfter?: Readonly<Record<string, number>>;
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
  test?: string | undefined;
  /** Called after each step of a run; a test drops connections here. */
  onStep?: (component: string, task: string) => void;
  /** Milliseconds between steps. */
  pace?: number;
  /** A long run: so many more tasks, each of which changes so often while it runs, and is so big (bytes). */
  long?: { tasks: number; changes: number; size: number };
}
