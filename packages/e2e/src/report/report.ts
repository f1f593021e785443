import type { Criterion } from '../criteria/criterion.ts';
import type { RunFacts } from '../criteria/observation.ts';

/**
 * Where it looked: this machine, a Konflux tenant, any cluster with Tekton, or the registry alone, at what is published.
 */
export type Target = 'local' | 'tenant' | 'tekton' | 'published';

/** What a run of this command found out; `--json` writes it as it is. */
export interface Report {
  /** Of this format; rises when a reader would have to change. */
  version: 1;
  target: Target;
  status: 'passed' | 'failed';
  revision: string;
  /** Uncommitted paths that the revision includes. */
  uncommitted: readonly string[];
  /** Of a local run: what stood in for the pinned base, if anything. */
  baseImage?: { pinned: readonly string[]; used: string; note: string };
  /** Of a tenant run. */
  cluster?: { server: string; namespace: string; application: string; snapshots: readonly string[] };
  images: readonly ReportImage[];
  criteria: readonly Criterion[];
  runs: readonly Pick<RunFacts, 'name' | 'status' | 'message' | 'results' | 'tasks' | 'startedAt' | 'finishedAt'>[];
  /** Milliseconds. */
  duration: number;
}

export interface ReportImage {
  role: string;
  /** For people: `Image 1`. */
  title: string;
  repository: string;
  revisionTag: string;
  /** Roles of the images whose digests are built into it. */
  embeds: readonly string[];
  /** As its builder pushed it; what the images that embed it name. */
  originDigest: string | null;
  /** After sealing; null for an image that is not sealed. */
  sealedDigest: string | null;
  /** What `latest` is. */
  latestDigest: string | null;
}
