import { type Check, type CheckId, runCheck, type Step, skipped } from './check.ts';
import { mapConcurrently } from './concurrent.ts';
import type { Digest } from './digest.ts';
import { embeddedDigests, findEmbedding } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import type { ImageFacts } from './image-facts.ts';
import { factsOf, readTree, treeOf } from './read-tree.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';
import type { Seal } from './seal/config.ts';
import { DEFAULT_PREFIX, type Link, linkUrlName, parsePrefix } from './seal/labels.ts';
import { type ImageTree, readTreeSeal, unsealTree } from './seal/tree.ts';

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
  const tree = await treeOf(registry, reference, manifest);
  const facts = factsOf(tree);

  const present = await runCheck({ id: 'link-present' }, () => linkPresent(tree, facts, prefix));
  const seal = present.value;
  const origin = await after([present], { id: 'origin-reconstructed' }, () => originReconstructed(tree, prefix));
  const links = await mapConcurrently(seal?.links ?? [], (link) =>
    verifyLink(registry, { ...reference, digest: seal?.sealedFrom ?? link.digest }, link, prefix),
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
    image: { reference: formatReference(reference), digest: manifest.digest },
    origin: origin.value,
    links: seal?.links ?? [],
    revision: revisionOf(facts),
    checks,
  };
}

const LINK_CHECKS = ['linked-image-exists', 'embeds-origin'] as const satisfies readonly CheckId[];

interface VerifiedLink {
  readonly role: string;
  readonly facts: readonly ImageFacts[] | undefined;
  readonly checks: readonly Check[];
}

async function verifyLink(
  registry: Registry,
  origin: Repository & { readonly digest: Digest },
  link: Link,
  prefix: string,
): Promise<VerifiedLink> {
  const { role } = link;
  const exists = await runCheck({ id: 'linked-image-exists', role }, () => linkedImageExists(registry, link));
  const embeds = await after([exists], { id: 'embeds-origin', role }, () => {
    const found = (exists.value ?? []).map((facts) => findEmbedding(facts, origin, prefix));
    return {
      evidence: found.map(({ variable, url }) => `${variable} and the label name ${url}`).join('; '),
      value: undefined,
    };
  });
  return { role, facts: exists.value, checks: [exists.check, embeds.check] };
}

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

function linkPresent(tree: ImageTree, facts: readonly ImageFacts[], prefix: string): { evidence: string; value: Seal } {
  try {
    const seal = readTreeSeal(tree, prefix);
    const named = seal.links.map(({ role, url, digest }) => `${role}: ${url}@${digest}`);
    return { evidence: named.join(', '), value: seal };
  } catch (error) {
    if (!(error instanceof DigestChainError) || error.code !== 'NOT_SEALED') throw error;
    throw startElsewhere(facts, prefix, error);
  }
}

/** An image that embeds another is the far end of a chain: its other end is where a proof starts. */
function startElsewhere([facts]: readonly ImageFacts[], prefix: string, error: DigestChainError): DigestChainError {
  const [embedded] = facts === undefined ? [] : embeddedDigests(facts, prefix);
  if (facts === undefined || embedded === undefined) return error;
  const [role, digest] = embedded;
  const url = facts.labels.get(`${prefix}.${linkUrlName(role)}`)?.replace(/@.*$/s, '');
  const start = url === undefined ? `the sealed ${role} image` : `${url}:${facts.revision ?? '<tag>'}`;
  return new DigestChainError('NOT_SEALED', `the image is not sealed; it embeds another (${role}: ${digest})`, {
    ...(error.expected === undefined ? {} : { expected: error.expected }),
    ...(error.found === undefined ? {} : { found: error.found }),
    hint: `start from ${start}, which links to it`,
  });
}

async function linkedImageExists(
  registry: Registry,
  link: Link,
): Promise<{ evidence: string; value: readonly ImageFacts[] }> {
  const tree = await readTree(registry, parseLinkUrl(link), link.digest);
  const images = tree.images.length === 1 ? '' : `, ${tree.images.length} images`;
  return {
    evidence: `${link.digest}, ${tree.manifest.bytes.length} bytes that hash to it${images}`,
    value: factsOf(tree),
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

function originReconstructed(tree: ImageTree, prefix: string): { evidence: string; value: Digest } {
  const { origin } = unsealTree(tree, prefix);
  const { digest } = origin.manifest;
  return { evidence: `without the seal's labels the bytes hash to ${digest}`, value: digest };
}

function sameRevision(
  facts: readonly ImageFacts[],
  links: readonly VerifiedLink[],
  expected: string | undefined,
): { evidence: string; value: string } {
  const unknown = links.find((link) => link.facts === undefined);
  if (unknown !== undefined) {
    throw new DigestChainError('REVISION_MISMATCH', `the revision of a linked image is unknown (${unknown.role})`);
  }
  const found = [
    ...facts.map(({ revision }) => ['sealed image', revision] as const),
    ...links.flatMap(({ role, facts = [] }) => facts.map(({ revision }) => [role, revision] as const)),
  ];
  const wanted = expected ?? revisionOf(facts);
  if (wanted !== undefined && found.every(([, revision]) => revision === wanted)) {
    return { evidence: `all were built from ${wanted}`, value: wanted };
  }
  throw new DigestChainError('REVISION_MISMATCH', 'the images were not built from the same git revision', {
    expected: wanted ?? 'a label org.opencontainers.image.revision on each image',
    found: found.map(([name, revision]) => `${name}: ${revision ?? 'none'}`).join(', '),
  });
}

/** The revision that all images of a tree name. */
function revisionOf(facts: readonly ImageFacts[]): string | undefined {
  const [first, ...others] = facts.map((fact) => fact.revision);
  return others.every((other) => other === first) ? first : undefined;
}
