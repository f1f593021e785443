import type { CommandResult } from '../command.ts';

/** What is known of one task of a run. */
export interface TaskFacts {
  name: string;
  /** As the runner names it: Succeeded, Failed, Skipped, Cancelled, … */
  status: string;
  message?: string | undefined;
  results: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  startedAt?: number | undefined;
  finishedAt?: number | undefined;
  /** The last lines of the step that failed. */
  logTail?: readonly string[] | undefined;
}

/** What is known of one PipelineRun. */
export interface RunFacts {
  name: string;
  status: 'Succeeded' | 'Failed' | 'Cancelled';
  message?: string | undefined;
  results: Readonly<Record<string, unknown>>;
  tasks: readonly TaskFacts[];
  startedAt: number;
  finishedAt: number;
}

/** An image as an independent tool (skopeo) sees it in the registry. */
export interface ImageView {
  /** What was asked for, by tag or digest. */
  reference: string;
  /** Of the manifest's bytes; absent where there is no such image. */
  digest?: string;
  labels: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  /** Why it could not be looked at. */
  problem?: string;
}

/** One check of the verifier, as digest-chain reports it. */
export interface ProofCheck {
  id: string;
  status: 'passed' | 'failed' | 'skipped';
  text: string;
  expected?: string | undefined;
  found?: string | undefined;
}

/** Everything that the criteria are judged by. Facts only: judging happens in criteria.ts, without I/O. */
export interface Observation {
  revision: string;
  labelPrefix: string;
  /** The PipelineRun of the build component and that of the scanner. */
  build: RunFacts;
  scanner: RunFacts;
  primary: {
    /** Repository without tag. */
    repository: string;
    origin: ImageView;
    /** By its revision tag. */
    sealed: ImageView;
    latest: ImageView;
    /** What `podman run` gave. */
    output: CommandResult;
  };
  metadata: {
    repository: string;
    /** By the digest that the build task reported. */
    built: ImageView;
    latest: ImageView;
    output: CommandResult;
  };
  /** The sealed image taken apart again: the digest of the reconstructed bytes, and whether they equal the origin's. */
  unsealed: { digest: string; bytesEqual: boolean } | { problem: string };
  proof: readonly ProofCheck[] | { problem: string };
  /** Results of the check tasks that the pipelines ran on an image, by task: `TEST_OUTPUT`. */
  scans: readonly { run: string; task: string; result: string; note: string }[];
}
