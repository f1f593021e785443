import { type Check, type CheckId, runCheck, type Step, skipped } from './check.ts';
import type { Digest } from './digest.ts';
import { embeddedDigests, findEmbedding } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import { type ImageFacts, readImageFacts } from './image-facts.ts';
import { readImage, withConfig } from './read-image.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';
import { readSeal, type Seal } from './seal/config.ts';
import { type Image, unsealImage } from './seal/image.ts';
import { DEFAULT_PREFIX, type Link, linkUrlName, parsePrefix } from './seal/labels.ts';

export interface VerifyOptions {
  /** The git commit that every image must have been built from. */
  readonly revision?: string;
  readonly prefix?: string;
}

/** A proof: every check with its evidence. It holds if `level` is `linked`. */
export interface Verification {
  readonly level: 'linked' | 'none';
  /** The image that it started from, as it was asked for, and its digest. */
  readonly image: { readonly reference: string; readonly digest: Digest };
  /** The digest of the origin, once it was reconstructed. */
  readonly origin: Digest | undefined;
  readonly links: readonly Link[];
  readonly revision: string | undefined;
  readonly checks: readonly Check[];
}

/**
 * Proves from the registry alone that a sealed image and the images it links to name each other by digest: two requests
 * for each image, no layers. A check that fails is reported, not thrown; what is thrown means that nothing could be
 * checked (the image is not there, the registry does not answer).
 */
export async function verify(
  registry: Registry,
  reference: Reference,
  options: VerifyOptions = {},
): Promise<Verification> {
  parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const manifest = await registry.getManifest(reference, reference.digest ?? reference.tag ?? 'latest');
  return verifyManifest(registry, reference, manifest, options);
}

/** As {@link verify}, from a manifest that was read already. */
export async function verifyManifest(
  registry: Registry,
  reference: Reference,
  manifest: RawManifest,
  options: VerifyOptions = {},
): Promise<Verification> {
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const image = await withConfig(registry, reference, manifest);
  const facts = readImageFacts(image.config);

  const present = await runCheck({ id: 'link-present' }, () => linkPresent(image, facts, prefix));
  const seal = present.value;
  const origin = await after([present], { id: 'origin-reconstructed' }, () => originReconstructed(image, prefix));
  const links = await Promise.all(
    (seal?.links ?? []).map((link) => verifyLink(registry, reference, link, seal, prefix)),
  );
  const revision = await after([present], { id: 'same-revision' }, () => sameRevision(facts, links, options.revision));
  const checks = [
    present.check,
    ...(seal === undefined ? LINK_CHECKS.map((id) => skipped({ id }, 'there is no link to follow')) : []),
    ...links.flatMap((link) => link.checks),
    origin.check,
    revision.check,
  ];
  return {
    level: checks.every((check) => check.status === 'passed') ? 'linked' : 'none',
    image: { reference: formatReference(reference), digest: image.manifest.digest },
    origin: origin.value,
    links: seal?.links ?? [],
    revision: facts.revision,
    checks,
  };
}

const LINK_CHECKS = ['linked-image-exists', 'embeds-origin'] as const satisfies readonly CheckId[];

interface VerifiedLink {
  readonly role: string;
  readonly facts: ImageFacts | undefined;
  readonly checks: readonly Check[];
}

async function verifyLink(
  registry: Registry,
  repository: Repository,
  link: Link,
  seal: Seal | undefined,
  prefix: string,
): Promise<VerifiedLink> {
  const { role } = link;
  const exists = await runCheck({ id: 'linked-image-exists', role }, () => linkedImageExists(registry, link));
  const embeds = await after([exists], { id: 'embeds-origin', role }, () => {
    const origin = { ...repository, digest: seal?.sealedFrom ?? link.digest };
    const { variable, url } = findEmbedding(exists.value ?? NO_FACTS, origin, prefix);
    return { evidence: `${variable} and the label name ${url}`, value: undefined };
  });
  return { role, facts: exists.value, checks: [exists.check, embeds.check] };
}

const NO_FACTS: ImageFacts = { labels: new Map(), environment: [], revision: undefined };

/** A check that needs others; skipped where one of them failed. */
async function after<T>(
  needed: readonly Step<unknown>[],
  about: { readonly id: CheckId; readonly role?: string },
  step: () => Promise<{ evidence: string; value: T }> | { evidence: string; value: T },
): Promise<Step<T>> {
  const failed = needed.find((other) => other.check.status !== 'passed');
  if (failed === undefined) return runCheck(about, step);
  return { check: skipped(about, `needs ${failed.check.id}, which failed`), value: undefined };
}

function linkPresent(image: Image, facts: ImageFacts, prefix: string): { evidence: string; value: Seal } {
  try {
    const seal = readSeal(image.config, prefix);
    const named = seal.links.map(({ role, url, digest }) => `${role}: ${url}@${digest}`);
    return { evidence: named.join(', '), value: seal };
  } catch (error) {
    if (!(error instanceof DigestChainError) || error.code !== 'NOT_SEALED') throw error;
    throw startElsewhere(facts, prefix, error);
  }
}

/** An image that embeds another is the far end of a chain: its other end is where a proof starts. */
function startElsewhere(facts: ImageFacts, prefix: string, error: DigestChainError): DigestChainError {
  const [embedded] = embeddedDigests(facts, prefix);
  if (embedded === undefined) return error;
  const [role, digest] = embedded;
  const url = facts.labels.get(`${prefix}.${linkUrlName(role)}`)?.replace(/@.*$/s, '');
  const start = url === undefined ? `the sealed ${role} image` : `${url}:${facts.revision ?? '<tag>'}`;
  return new DigestChainError('NOT_SEALED', `the image is not sealed; it embeds another (${role}: ${digest})`, {
    ...(error.expected === undefined ? {} : { expected: error.expected }),
    ...(error.found === undefined ? {} : { found: error.found }),
    hint: `start from ${start}, which links to it`,
  });
}

async function linkedImageExists(registry: Registry, link: Link): Promise<{ evidence: string; value: ImageFacts }> {
  const place = parseLinkUrl(link);
  const image = await readImage(registry, place, link.digest);
  return {
    evidence: `${link.digest}, ${image.manifest.bytes.length} bytes that hash to it`,
    value: readImageFacts(image.config),
  };
}

function parseLinkUrl(link: Link): Repository {
  try {
    return parseReference(link.url);
  } catch (cause) {
    throw new DigestChainError('LINK_INVALID', `the url of the link is malformed (${link.role})`, {
      expected: 'repository:tag',
      found: JSON.stringify(link.url.slice(0, 160)),
      cause,
    });
  }
}

function originReconstructed(image: Image, prefix: string): { evidence: string; value: Digest } {
  const { origin } = unsealImage(image, prefix);
  const { digest } = origin.manifest;
  return { evidence: `without the seal's labels the bytes hash to ${digest}`, value: digest };
}

function sameRevision(
  facts: ImageFacts,
  links: readonly VerifiedLink[],
  expected: string | undefined,
): { evidence: string; value: string } {
  const wanted = expected ?? facts.revision;
  const found = [
    `sealed image: ${facts.revision ?? 'none'}`,
    ...links.map((link) => `${link.role}: ${link.facts?.revision ?? 'none'}`),
  ];
  const unknown = links.find((link) => link.facts === undefined);
  if (unknown !== undefined) {
    throw new DigestChainError('REVISION_MISMATCH', `the revision of a linked image is unknown (${unknown.role})`);
  }
  const revisions = [facts.revision, ...links.map((link) => link.facts?.revision)];
  if (wanted !== undefined && revisions.every((revision) => revision === wanted)) {
    return { evidence: `all were built from ${wanted}`, value: wanted };
  }
  throw new DigestChainError('REVISION_MISMATCH', 'the images were not built from the same git revision', {
    expected: wanted ?? 'a label org.opencontainers.image.revision on each image',
    found: found.join(', '),
  });
}
