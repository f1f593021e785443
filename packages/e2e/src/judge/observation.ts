import type { Check } from '@multi-image/digest-chain';
import type { LabelNames } from '@multi-image/digest-chain/oci';
import type { CommandResult } from '@multi-image/kit/commands';

/** What is known of one task of a run. */
export interface TaskFacts {
  name: string;
  /** As the runner names it: Succeeded, Failed, Skipped, Cancelled, … */
  status: string;
  message?: string | undefined;
  results: Readonly<Record<string, unknown>>;
  /** What it was called with as BUILD_ARGS, where it takes them and they could be seen. */
  buildArgs?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  startedAt?: number | undefined;
  finishedAt?: number | undefined;
  /** Of a task in a cluster's pod: where its time went. */
  phases?: TaskPhases | undefined;
  /** The last lines of the step that failed. */
  logTail?: readonly string[] | undefined;
}

/** Milliseconds of a task, one after the other. */
export interface TaskPhases {
  /** Until Tekton took it up. */
  queued: number;
  /** Until its first step began: a node was found, images were pulled, the pod was started. */
  starting: number;
  /** Of that, the pulling of images; undefined where nobody tells. */
  pulling?: number | undefined;
  /** In its steps. */
  running: number;
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

/** One image of an index. */
export interface PlatformView {
  /** `linux/arm64`. */
  platform: string;
  /** Built on nothing, since there was no base for the platform: why. It can't run. */
  withoutBase?: string | undefined;
}

/** An image as it is in the registry, by its hashed bytes. */
export interface ImageView {
  /** What was asked for, by tag or digest. */
  reference: string;
  /** Of the manifest's bytes; absent where there is no such image. */
  digest?: string;
  labels: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  entrypoint?: readonly string[] | undefined;
  /** Only of an index: its images. `labels` and `env` then hold what all of them say, or tell them apart. */
  platforms?: readonly PlatformView[] | undefined;
  /** Why it could not be looked at. */
  problem?: string;
}

export type Seal = 'label' | 'referrer' | 'none';

/** An image that the chain takes from elsewhere. */
export interface ObservedExternal {
  role: string;
  /** As the config names it. */
  named: string;
  argumentPrefix: string;
  /** Of a local run: what it is there. */
  note?: string | undefined;
  /** Of a local run: something else is in its place. */
  standIn?: boolean | undefined;
}

/** What was seen of one image of the chain. */
export interface ObservedImage {
  role: string;
  /** As in the names of the pipeline's tasks: `build-<name>`. */
  name: string;
  /** Repository without tag. */
  repository: string;
  /** `IMAGE1`: images that embed it have its digest in their environment as `IMAGE1_DIGEST`. */
  argumentPrefix: string;
  /** Roles of the images of this chain that it embeds. */
  embeds: readonly string[];
  /** Roles of those that it embeds and that were built elsewhere. */
  embedsExternal?: readonly string[] | undefined;
  /** Roles of the images that embed it. */
  embeddedBy: readonly string[];
  /** How it is linked to those: by labels of its own, by a chain statement alone, or not. */
  seal: Seal;
  /** By the digest that the build task reported. */
  origin: ImageView;
  /** By its revision tag: sealed, where something embeds it. */
  published: ImageView;
  latest: ImageView;
  /** Text that it has to print; set where the config says how the image is run, which is then all that is asked of it. */
  expected?: string | undefined;
  /** Why nobody tried to run it; no criterion is the worse for that. */
  notRun?: string | undefined;
  /** What running it gave, or why this machine can't; absent where its program is not one that ends by itself. */
  output?: CommandResult | { problem: string } | undefined;
  /** Only of a sealed image: taken apart again. */
  unsealed?: { digest: string; bytesEqual: boolean } | { problem: string } | undefined;
  /** Only of an image that others embed. */
  proof?: readonly Check[] | { problem: string } | undefined;
}

/** Everything that the criteria are judged by. Facts only: judging happens in this folder, without I/O. */
export interface Observation {
  revision: string;
  /** Of the labels that link the images. */
  labelNames: LabelNames;
  /** Who signed: Tekton Chains on a cluster, its stand-in on this machine with a key of the run, or nobody. */
  signer: 'chains' | 'stand-in' | 'none';
  /** The PipelineRun that builds the chain. */
  build: RunFacts;
  /** The PipelineRuns that hand an image to Konflux, with that image's role. */
  scanners: readonly { role: string; run: RunFacts }[];
  /** Images that the chain takes from elsewhere. */
  external: readonly ObservedExternal[];
  /** The primary image first. */
  images: readonly ObservedImage[];
  /** Results of the check tasks that the pipelines ran on an image, by task: `TEST_OUTPUT`. */
  scans: readonly { run: string; task: string; result: string; note: string }[];
}
