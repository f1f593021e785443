import type { ParamType, ParamValue } from './plan/model.ts';

export type { ParamType, ParamValue };

/** What a stand-in is given for one TaskRun. */
export interface StandInContext {
  params: Record<string, ParamValue>;
  taskRunName: string;
  /** An empty temporary folder of this TaskRun; removed with it. */
  workDir: string;
  /** Image substitution, from → to. */
  images: Readonly<Record<string, string>>;
  /** Git is fetched from here instead of from the param `url`. */
  sourceUrl?: string;
  log(line: string): void;
  /** Says something about the run that a person has to know even where logs are not shown. */
  note(message: string): void;
  signal: AbortSignal;
}

/** A local implementation of one catalog task: same params, same results. */
export interface StandIn {
  /** The task's name in its bundle, e.g. `buildah-oci-ta`. */
  task: string;
  params: Record<string, { type: ParamType; default?: ParamValue }>;
  results: readonly string[];
  workspaces?: readonly string[];
  /** Does the task's work and returns its results; a rejection fails the task. */
  run(context: StandInContext): Promise<Record<string, string>>;
}

/** What a step stand-in is given for one step. */
export interface StepStandInContext {
  args: readonly string[];
  env: Record<string, string>;
  /** The path on this machine of a path in the step; throws outside the step's mounts. */
  hostPath(containerPath: string): string;
  resultsDir: string;
  log(line: string): void;
  signal: AbortSignal;
}

/** A local implementation of one step image. */
export interface StepStandIn {
  /** The image's repository, without tag and digest. */
  image: string;
  /** Does the step's work and returns its exit code. */
  run(context: StepStandInContext): Promise<number>;
}
