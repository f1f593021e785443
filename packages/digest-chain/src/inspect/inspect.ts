import { isRefusal } from '../attach.ts';
import { findSignedBlobs, type Rejection } from '../attestation/signature-manifests.ts';
import type { Digest } from '../digest.ts';
import { embeddedImages } from '../embedding.ts';
import { DigestChainError, isUnanswered } from '../errors.ts';
import { LabelNames } from '../label-names.ts';
import { factsOf, readTree } from '../read-image.ts';
import { formatReference, nameOf, parseReference, type Reference } from '../reference.ts';
import type { CallOptions, Referrer, Registry } from '../registry/registry.ts';
import { withSignal } from '../registry/with-call-options.ts';
import type { Seal } from '../seal/config.ts';
import { type ImageTree, readTreeSeal } from '../seal/tree.ts';
import { discoverStatements } from '../statement/discover.ts';
import { followingLinks } from '../verify/limits.ts';
import { revisionOf } from '../verify/proof.ts';

/** More images of one chain are not shown. */
const MAX_INSPECTED = 64;

/** What is at a chain of images. Everything in it is text from outside, and none of it is proved. */
export interface Inspection {
  /** The first is the one that was asked for. */
  readonly images: readonly InspectedImage[];
  /** Whether there was more than {@link MAX_INSPECTED}. */
  readonly truncated: boolean;
}

export interface InspectedImage {
  /** As it is linked: `repo:tag@digest`, `repo@digest`. */
  readonly reference: string;
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
  /** How many images an index has; 1 for an image. */
  readonly images: number;
  readonly revision: string | undefined;
  /** The digest of the origin that the seal names. */
  readonly sealedFrom: Digest | undefined;
  readonly links: readonly InspectedLink[];
  readonly referrers: readonly Referrer[];
  /** Signed documents by where they are, such as `sha256-….sig`. */
  readonly signed: readonly { readonly source: string; readonly mediaType: string }[];
  /** What could not be read. */
  readonly problems: readonly string[];
}

export interface InspectedLink {
  /** `links`: by the seal's labels. `embeds`: by the labels of its build. `statement`: by a chain statement. */
  readonly by: 'links' | 'embeds' | 'statement';
  readonly role: string;
  readonly url: string;
  readonly digest: string;
}

/**
 * Reads a chain from any of its images on, following every link, to no host that is further in than the first image's.
 * Throws where that first image can't be read.
 */
export async function inspect(
  client: Registry,
  reference: Reference,
  { prefix, signal }: CallOptions & { readonly prefix?: string | undefined } = {},
): Promise<Inspection> {
  const names = new LabelNames(prefix);
  const registry = followingLinks(withSignal(client, signal), reference, []);
  const images = [await readImage(registry, reference, names)];
  const seen = new Set<string>(images.map((image) => image.digest ?? ''));
  let truncated = false;
  // Who attaches links may name many hosts that never answer: one of them is waited for.
  let waitedFor: string | undefined;
  for (const image of images) {
    for (const link of image.links) {
      // What an image embeds is the origin of one that is shown, or leads to it by the statement.
      if (link.by === 'embeds' || seen.has(link.digest)) continue;
      seen.add(link.digest);
      if (images.length >= MAX_INSPECTED) {
        truncated = true;
        continue;
      }
      const linked = `${link.url}@${link.digest}`;
      try {
        const place = parseReference(linked);
        if (waitedFor !== undefined && place.registry !== reference.registry) {
          images.push(unread(linked, `not read: ${waitedFor} did not answer`));
          continue;
        }
        images.push(await readImage(registry, place, names));
      } catch (error) {
        // What can't be asked for takes nothing away from what can, unless nobody is to be asked any more.
        if (!(error instanceof DigestChainError) || error.code === 'ABORTED') throw error;
        if (isUnanswered(error)) waitedFor = parseReference(linked).registry;
        images.push(unread(linked, `${error.code}: ${error.message}`));
      }
    }
  }
  return { images, truncated };
}

async function readImage(registry: Registry, reference: Reference, names: LabelNames): Promise<InspectedImage> {
  const tree = await readTree(registry, reference, nameOf(reference));
  const { digest, mediaType } = tree.manifest;
  const facts = factsOf(tree);
  const problems: string[] = [];
  const rejected: Rejection[] = [];
  const seal = readSealOf(tree, names, problems);
  const unknown = (error: unknown): void => {
    if (!isRefusal(error)) throw error;
    const problem = `${error.code}: ${error.message}`;
    if (!problems.includes(problem)) problems.push(problem);
  };
  const discovery = await discoverStatements(registry, reference, digest).catch(unknown);
  const { statements = [], rejected: notStatements = [] } = discovery ?? {};
  const signed = await findSignedBlobs(registry, reference, digest, rejected);
  const referrers = (await registry.listReferrers(reference, digest).catch(unknown)) ?? [];
  const [first] = facts;
  const linked = new Set(seal?.links.map((link) => link.role));
  const embeds = (first === undefined ? [] : embeddedImages(first, names)).filter(({ role }) => !linked.has(role));
  return {
    reference: formatReference({ ...reference, digest }),
    digest,
    mediaType,
    images: tree.images.length,
    revision: revisionOf(facts),
    sealedFrom: seal?.sealedFrom,
    links: [
      ...(seal?.links ?? []).map((link) => ({ by: 'links' as const, ...link })),
      ...embeds.map(({ role, url = '', digest: embedded }) => {
        return { by: 'embeds' as const, role, url: url.replace(/@.*$/s, ''), digest: embedded };
      }),
      ...statements.flatMap(({ chain }) =>
        chain.images
          .filter((image) => image.digest !== digest && image.origin !== digest)
          .map(({ role, url, digest: other }) => ({ by: 'statement' as const, role, url, digest: other })),
      ),
    ],
    referrers,
    signed: signed.map(({ source, mediaType }) => ({ source, mediaType })),
    problems: [...problems, ...notStatements, ...rejected.map(({ source, reason }) => `${source}: ${reason}`)],
  };
}

function unread(reference: string, problem: string): InspectedImage {
  return {
    reference,
    digest: undefined,
    mediaType: undefined,
    images: 0,
    revision: undefined,
    sealedFrom: undefined,
    links: [],
    referrers: [],
    signed: [],
    problems: [problem],
  };
}

function readSealOf(tree: ImageTree, names: LabelNames, problems: string[]): Seal | undefined {
  try {
    return readTreeSeal(tree, names);
  } catch (error) {
    if (!(error instanceof DigestChainError)) throw error;
    if (error.code !== 'NOT_SEALED') problems.push(`${error.code}: ${error.message}`);
    return undefined;
  }
}
