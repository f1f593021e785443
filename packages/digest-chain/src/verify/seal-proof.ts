import type { AttestedImage } from '../attestation/attested-image.ts';
import { after, type Check, type CheckId, runCheck, type Step, skipped } from '../check.ts';
import type { Digest } from '../digest.ts';
import { type Embedding, embeddedImages } from '../embedding.ts';
import { DigestChainError, unexpected } from '../errors.ts';
import type { LabelNames } from '../label-names.ts';
import { factsOf, type ReadTree } from '../read-image.ts';
import { parseReference, repositoryName } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import type { Link, Seal } from '../seal/config.ts';
import { builtAs, type ImageTree, readTreeSeal, unsealTree } from '../seal/tree.ts';
import { type Chain, originDigest } from '../statement/chain.ts';
import type { Discovery } from '../statement/discover.ts';
import {
  checkEmbedding,
  isOwn,
  type LinkProof,
  memberOf,
  type NamedRevisions,
  type ProofContext,
  readInOrder,
  revisionsOf,
  sameRevision,
} from './proof.ts';

/** The proof of an image that is linked by its labels: two requests for each linked image, and the statement's. */
export async function proveSeal(context: ProofContext, options: { readonly statement: boolean }): Promise<LinkProof> {
  const { names, revision, tree } = context;
  const present = await runCheck({ id: 'link-present' }, () => {
    const value = readSealOf(tree, names);
    return { evidence: value.links.map(({ role, url, digest }) => `${role}: ${url}@${digest}`).join(', '), value };
  });
  const seal = present.value;
  const origin = await after(present, { id: 'origin-reconstructed' }, () => {
    const { origin: value } = unsealTree(tree, names);
    return { evidence: `without the seal's labels the bytes hash to ${value.manifest.digest}`, value };
  });
  const wanted = seal?.links ?? [];
  const [links, statement] = await Promise.all([
    readInOrder(wanted, {
      read: (link) => verifyLink(context, seal?.sealedFrom ?? link.digest, link),
      isOwn: (link) => isOwn(context, link),
      failed: ({ checks }) => checks.some(({ status }) => status !== 'passed'),
    }),
    checkStatement(context, present, options.statement),
  ]);
  const named = [revisionsOf('sealed image', tree), ...links.map(({ revisions }) => revisions)];
  if (links.length < wanted.length) named.push(revisionsOf('those that were not read', undefined));
  const sameSource = await after(present, { id: 'same-revision' }, () => sameRevision(named, revision));
  return {
    checks: [
      present.check,
      ...(seal === undefined ? LINK_CHECKS.map((id) => skipped({ id }, 'there is no link to follow')) : []),
      ...links.flatMap((link) => link.checks),
      ...wanted.slice(links.length).flatMap(unread),
      origin.check,
      sameSource.check,
      statement,
    ],
    origin: origin.value?.manifest.digest,
    links: wanted,
    revision: sameSource.value,
    members: membersOf(context, origin.value, links),
  };
}

const LINK_CHECKS = ['linked-image-exists', 'embeds-origin'] as const satisfies readonly CheckId[];

/** Links that come after one that failed. */
function unread({ role }: Link): readonly Check[] {
  return LINK_CHECKS.map((id) => skipped({ id, role }, 'not read: a link before it failed'));
}

interface VerifiedLink {
  readonly role: string;
  readonly revisions: NamedRevisions;
  /** How each of its images names the one that it embeds; none where that could not be read. */
  readonly embeddings: readonly Embedding[];
  /** Undefined where it could not be read. */
  readonly member: AttestedImage | undefined;
  readonly checks: readonly Check[];
}

async function verifyLink({ readTree, names, at }: ProofContext, origin: Digest, link: Link): Promise<VerifiedLink> {
  const { role } = link;
  let repository = at.get(role);
  const exists = await runCheck({ id: 'linked-image-exists', role }, async () => {
    repository ??= parseLinkUrl(link);
    const linked = await readTree(repository, link.digest);
    const images = linked.images.length === 1 ? '' : `, ${linked.images.length} images`;
    const place = at.has(role) ? `, in ${repositoryName(repository)}` : '';
    const evidence = `${link.digest}, ${linked.manifest.bytes.length} bytes that hash to it${images}${place}`;
    return { evidence, value: linked };
  });
  const embeds = await checkEmbedding(exists, role, origin, names);
  const tree = exists.value;
  return {
    role,
    revisions: revisionsOf(role, tree),
    embeddings: embeds.value ?? [],
    member: tree && repository && memberOf({ role, repository, embeds: [] }, tree, builtAs(tree, names)),
    checks: [exists.check, embeds.check],
  };
}

function membersOf(
  { repository, tree }: ProofContext,
  origin: ImageTree | undefined,
  links: readonly VerifiedLink[],
): readonly AttestedImage[] {
  const said = links.flatMap(({ embeddings }) => embeddings.map((embedding) => embedding.role))[0] ?? 'primary';
  // Roles tell members apart, and this one was chosen by a linked image: it must not take another's place.
  const role = links.some((link) => link.role === said) ? 'sealed image' : said;
  return [
    memberOf({ role, repository, embeds: [] }, tree, origin ?? tree),
    ...links.flatMap(({ member, embeddings }) =>
      member === undefined ? [] : [{ ...member, embeds: [{ role, embeddings }] }],
    ),
  ];
}

/** A statement beside the labels is not needed; one that is there has to say the same. */
async function checkStatement(context: ProofContext, present: Step<Seal>, wanted: boolean): Promise<Check> {
  const about = { id: 'chain-statement' } as const;
  const seal = present.value;
  if (seal === undefined) return skipped(about, 'needs link-present, which failed');
  if (!wanted) return skipped(about, 'not asked for: the labels are the link');
  const { discover, tree } = context;
  let discovery: Discovery;
  try {
    discovery = await discover();
  } catch (error) {
    // A registry that can't be asked for statements has said all that the labels need.
    if (!(error instanceof DigestChainError) || error.code === 'ABORTED') throw error;
    return skipped(about, `none could be looked for (${error.code}: ${error.message}); the labels are the link`);
  }
  const { statements, rejected, isGiven = false } = discovery;
  const problems = [...rejected];
  for (const { chain, artifact } of statements) {
    const problem = disagreement(chain, tree.manifest.digest, seal);
    // One that agrees is enough: whoever may push to the repository may attach others, and that must not break a proof.
    if (problem === undefined) {
      return { ...about, status: 'passed', evidence: `${artifact} names the same ${chain.images.length} images` };
    }
    problems.push(`${artifact}: ${problem}`);
  }
  const found = problems.join('; ').slice(0, 1000);
  if (isGiven) {
    const evidence = 'the chain statement that was given says something else than the labels';
    return { ...about, status: 'failed', evidence, expected: 'a statement about this very chain', found };
  }
  const [first] = rejected;
  const none = first === undefined ? 'none is attached' : `none that is attached can be read (${first})`;
  // A statement is nobody's word: one that says something else, which anybody may attach who may push, takes nothing away.
  const reason = statements.length === 0 ? none : `what is attached says something else (${found})`;
  return skipped(about, `${reason}; the labels are the link`);
}

/** An image that embeds another is the far end of a chain: its other end is where a proof starts. */
function readSealOf(tree: ReadTree, names: LabelNames): Seal {
  try {
    return readTreeSeal(tree, names);
  } catch (error) {
    const [facts] = factsOf(tree);
    const [embedded] = facts === undefined ? [] : embeddedImages(facts, names);
    const unsealed = error instanceof DigestChainError && error.code === 'NOT_SEALED';
    if (!unsealed || embedded === undefined) throw error;
    const { role, digest } = embedded;
    const url = embedded.url?.replace(/@.*$/s, '');
    const start = url === undefined ? `the sealed ${role} image` : `${url}:${facts?.revision ?? '<tag>'}`;
    const reason = `the image is not sealed and has no chain statement; it embeds another (${role}: ${digest})`;
    throw new DigestChainError('NOT_SEALED', reason, {
      expected: error.expected,
      found: error.found,
      hint: `start from ${start}, which links to it`,
    });
  }
}

function parseLinkUrl(link: Link): Repository {
  try {
    return parseReference(link.url);
  } catch (cause) {
    const message = `the url of the link is malformed (${link.role})`;
    throw unexpected('LINK_INVALID', message, 'repository:tag', link.url, cause);
  }
}

/** In what a statement says something else than the labels of a sealed image. */
function disagreement({ images, embeds }: Chain, digest: Digest, { sealedFrom, links }: Seal): string | undefined {
  const own = images.find((candidate) => candidate.digest === digest);
  if (own === undefined || originDigest(own) !== sealedFrom) return 'names another origin';
  for (const link of links) {
    const linked = images.find(({ role }) => role === link.role);
    if (linked?.digest !== link.digest) return `names another ${link.role} image`;
    if (linked.url !== link.url) return `places the ${link.role} image at ${linked.url}`;
    const embedding = embeds.some((edge) => edge.image === link.role && edge.embedded === own.role);
    if (!embedding) return `does not say that ${link.role} embeds ${own.role}`;
  }
  return undefined;
}
