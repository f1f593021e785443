import type { Level, Snapshot } from '@multi-image/digest-chain';
import type { Elsewhere } from '../elsewhere.ts';
import type { Criterion, Status } from '../judge/criterion.ts';
import type { Observation, RunFacts, Seal } from '../judge/observation.ts';
import type { Cause } from './first-cause.ts';

/**
 * Where it looked: this machine, a Konflux tenant, any cluster with Tekton, or the registry alone, at what is published.
 */
export type Target = 'local' | 'tenant' | 'tekton' | 'published';

/** What a run of this command found out; `--json` prints it, `--report` writes it, as it is. */
export interface Report {
  /** Of this format; rises when a reader would have to change. */
  version: 1;
  target: Target;
  status: 'passed' | 'failed';
  /** Of a run that failed: why, in the words that help most. */
  cause?: Cause | undefined;
  /** When it was made, in UTC (RFC 3339). */
  date: string;
  tool: { name: string; version: string };
  /** The Konflux Application, where a config names it. */
  application?: string | undefined;
  /** The git repository that was built, where it is known. */
  source?: string | undefined;
  /** Who signed what a run made. */
  signedBy?: Observation['signer'] | undefined;
  /** How far the chain is proved. */
  level: Level;
  revision: string;
  /** Uncommitted paths that the revision includes. */
  uncommitted: readonly string[];
  /** Of a local run: what stood in for the pinned base, if anything. */
  baseImage?: { pinned: readonly string[]; used: string; note: string };
  /** Of a run on a cluster. */
  cluster?: { server: string; namespace: string; application: string; snapshots: readonly string[] };
  /** Of the labels that link the images. */
  labelPrefix: string;
  /** PEM: the keys that signatures were looked for with. */
  publicKeys: readonly string[];
  /** Who may have signed with a certificate: options of `verify`, and of cosign. */
  signer?: string | undefined;
  /** What commands by hand need on this machine, beside the names of the images. */
  byHand?: {
    plainHttp?: boolean;
    podmanArguments?: readonly string[];
    elsewhere?: Elsewhere | undefined;
    /** Its images are elsewhere than they name each other. */
    copied?: boolean;
  };
  /** Images that the chain takes from elsewhere. */
  external?: readonly ReportExternal[] | undefined;
  /** Of a local run: the spec of the Snapshot that Konflux would get of it, with the images where they are here. */
  snapshot?: Snapshot['spec'] | undefined;
  images: readonly ReportImage[];
  criteria: readonly Criterion[];
  runs: readonly RunFacts[];
  /** Milliseconds. */
  duration: number;
}

export interface ReportExternal {
  role: string;
  /** As the config names it. */
  named: string;
  /** What the run found, and gave to every build; null where it found nothing. */
  digest: string | null;
  /** Of a local run: what is in its place there. */
  note?: string | undefined;
  standIn?: boolean | undefined;
}

export interface ReportImage {
  role: string;
  /** For people: `Image 1`. */
  title: string;
  /** Empty where statements disagree about it, and no label of the chain says it. */
  repository: string;
  /** The tag by which it is published; null where it was asked for by its digest. */
  revisionTag: string | null;
  /** Roles of the images whose digests are built into it. */
  embeds: readonly string[];
  /** How it is linked to those that embed it: by labels of its own, by a chain statement alone; none where it is not. */
  seal: Seal;
  /** As its builder pushed it; what the images that embed it name. */
  originDigest: string | null;
  /** After sealing; null for an image that is not sealed. */
  sealedDigest: string | null;
  /** What `latest` is. */
  latestDigest: string | null;
  /** What was found of the build system's signature; null where nothing was looked for. */
  signature: { status: Status; text: string } | null;
  /** Whether it was run, by its digest, as its criteria say. */
  ran: boolean;
}
