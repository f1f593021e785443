import type { AttestedImage } from '../attestation/checks.ts';
import { after, type Check, type CheckId, runCheck, type Step, skipped } from '../check.ts';
import { mapConcurrently } from '../concurrent.ts';
import type { Digest } from '../digest.ts';
import { embeddedDigests, findEmbeddings } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import type { ImageFacts } from '../image-facts.ts';
import { factsOf, readTree } from '../read-image.ts';
import { parseReference } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import type { Seal } from '../seal/config.ts';
import { type Link, linkUrlName } from '../seal/labels.ts';
import { builtAs, type ImageTree, readTreeSeal, unsealTree } from '../seal/tree.ts';
import type { Discovery } from '../statement/discover.ts';
import {
  type LinkProof,
  memberOf,
  type NamedRevisions,
  type ProofContext,
  revisionsOf,
  sameRevision,
} from './proof.ts';

/** The proof of an image that is linked by its labels: two requests for each linked image, and the statement's. */
export async function proveSeal(context: ProofContext, options: { readonly statement: boolean }): Promise<LinkProof> {
  const { facts, prefix, revision, tree } = context;
  const present = await runCheck({ id: 'link-present' }, () => linkPresent(tree, facts, prefix));
  const seal = present.value;
  const origin = await after([present], { id: 'origin-reconstructed' }, () => originReconstructed(tree, prefix));
  const [links, statement] = await Promise.all([
    mapConcurrently(seal?.links ?? [], (link) => verifyLink(context, seal?.sealedFrom ?? link.digest, link)),
    checkStatement(context, present, options.statement),
  ]);
  const named = [revisionsOf('sealed image', facts), ...links.map(({ revisions }) => revisions)];
  const sameSource = await after([present], { id: 'same-revision' }, () => sameRevision(named, revision));
  return {
    checks: [
      present.check,
      ...(seal === undefined ? LINK_CHECKS.map((id) => skipped({ id }, 'there is no link to follow')) : []),
      ...links.flatMap((link) => link.checks),
      origin.check,
      sameSource.check,
      statement,
    ],
    origin: origin.value?.manifest.digest,
    links: seal?.links ?? [],
    members: membersOf(context, origin.value, links),
  };
}

const LINK_CHECKS = ['linked-image-exists', 'embeds-origin'] as const satisfies readonly CheckId[];

interface VerifiedLink {
  readonly role: string;
  readonly revisions: NamedRevisions;
  /** What the linked image calls the image that it embeds. */
  readonly embeddedRole: string | undefined;
  /** Undefined where it could not be read. */
  readonly member: AttestedImage | undefined;
  readonly checks: readonly Check[];
}

async function verifyLink({ registry, prefix, at }: ProofContext, origin: Digest, link: Link): Promise<VerifiedLink> {
  const { role } = link;
  const exists = await runCheck({ id: 'linked-image-exists', role }, async () => {
    const repository = at.get(role) ?? parseLinkUrl(link);
    const linked = await readTree(registry, repository, link.digest);
    const images = linked.images.length === 1 ? '' : `, ${linked.images.length} images`;
    const place = at.has(role) ? `, in ${repository.registry}/${repository.repository}` : '';
    const evidence = `${link.digest}, ${linked.manifest.bytes.length} bytes that hash to it${images}${place}`;
    return { evidence, value: { repository, linked } };
  });
  const embeds = await after([exists], { id: 'embeds-origin', role }, () => {
    const found = exists.value === undefined ? [] : findEmbeddings(exists.value.linked, origin, prefix);
    const evidence = found.map(({ variable, url }) => `${variable} and the label name ${url}`).join('; ');
    return { evidence, value: found[0]?.role };
  });
  return {
    role,
    revisions: revisionsOf(role, exists.value && factsOf(exists.value.linked)),
    embeddedRole: embeds.value,
    member: exists.value && linkedMember(role, exists.value, prefix),
    checks: [exists.check, embeds.check],
  };
}

function linkedMember(
  role: string,
  { repository, linked }: { repository: Repository; linked: ImageTree },
  prefix: string,
): AttestedImage {
  return memberOf({ role, repository, embeds: [] }, linked, builtAs(linked, prefix));
}

function membersOf(
  { repository, tree }: ProofContext,
  origin: ImageTree | undefined,
  links: readonly VerifiedLink[],
): readonly AttestedImage[] {
  const said = links.find((link) => link.embeddedRole !== undefined)?.embeddedRole ?? 'primary';
  // Roles tell members apart, and this one was chosen by a linked image: it must not take another's place.
  const role = links.some((link) => link.role === said) ? 'sealed image' : said;
  return [
    memberOf({ role, repository, embeds: [] }, tree, origin ?? tree),
    ...links.flatMap(({ member }) => (member === undefined ? [] : [{ ...member, embeds: [role] }])),
  ];
}

/** A statement beside the labels is not needed; one that is there has to say the same. */
async function checkStatement(context: ProofContext, present: Step<Seal>, wanted: boolean): Promise<Check> {
  const about = { id: 'chain-statement' } as const;
  const seal = present.value;
  if (seal === undefined) return skipped(about, 'needs link-present, which failed');
  if (!wanted) return skipped(about, 'not asked for: the labels are the link');
  const { registry, repository, tree } = context;
  const [{ discoverStatements }, { agreement }] = await Promise.all([
    import('../statement/discover.ts'),
    import('./agreement.ts'),
  ]);
  let discovery: Discovery;
  try {
    discovery = await discoverStatements(registry, repository, tree.manifest.digest);
  } catch (error) {
    // A registry that can't be asked for statements has said all that the labels need.
    if (!(error instanceof DigestChainError) || error.code === 'ABORTED') throw error;
    return skipped(about, `none could be looked for (${error.code}: ${error.message}); the labels are the link`);
  }
  const { statements, rejected } = discovery;
  if (statements.length === 0) {
    const [first] = rejected;
    const reason = first === undefined ? 'none is attached' : `none that is attached can be read (${first})`;
    return skipped(about, `${reason}; the labels are the link`);
  }
  const { check } = await runCheck(about, () => {
    const image = { digest: tree.manifest.digest, origin: seal.sealedFrom };
    return { evidence: agreement(discovery, image, seal.links), value: undefined };
  });
  return check;
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
  const reason = `the image is not sealed and has no chain statement; it embeds another (${role}: ${digest})`;
  return new DigestChainError('NOT_SEALED', reason, {
    ...(error.expected === undefined ? {} : { expected: error.expected }),
    ...(error.found === undefined ? {} : { found: error.found }),
    hint: `start from ${start}, which links to it`,
  });
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

function originReconstructed(tree: ImageTree, prefix: string): { evidence: string; value: ImageTree } {
  const { origin } = unsealTree(tree, prefix);
  return { evidence: `without the seal's labels the bytes hash to ${origin.manifest.digest}`, value: origin };
}
