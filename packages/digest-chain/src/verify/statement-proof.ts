import type { AttestedImage } from '../attestation/attested-image.ts';
import { after, type Check, type CheckId, runCheck, type Step, skipped } from '../check.ts';
import { type Embedding, findEmbeddings } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import { factsOf, readTree } from '../read-image.ts';
import { parseReference } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import type { Link } from '../seal/config.ts';
import { type ImageTree, readTreeSeal, unsealTree } from '../seal/tree.ts';
import { type Chain, type ChainImage, type Embeds, originDigest } from '../statement/chain.ts';
import { type Discovery, type FoundStatement, MAX_STATEMENTS } from '../statement/discover.ts';
import { readInOrder } from './in-order.ts';
import { ownRegistries } from './limits.ts';
import { type LinkProof, memberOf, type ProofContext, revisionsOf, sameRevision } from './proof.ts';

/**
 * The proof of an image that has no links in its labels: what the chain statements name is read and has to hang together
 * by its own bytes, for a statement proves nothing by itself. Statements that don't hold are passed over; those that
 * hold must name the same images.
 */
export async function proveStatements(
  context: ProofContext,
  { statements, rejected, unread }: Discovery,
): Promise<LinkProof> {
  const proofs: LinkProof[] = [];
  const unreachable: unknown[] = [];
  for (const statement of statements) {
    try {
      proofs.push(await proveStatement(context, statement));
    } catch (error) {
      // Whoever attaches a statement names where it leads: a place that does not answer must not take the others' proof.
      if (!(error instanceof DigestChainError) || error.code === 'ABORTED') throw error;
      unreachable.push(error);
    }
  }
  const holding = proofs.filter((proof) => proof.checks.every((check) => check.status === 'passed'));
  if (holding.length === 0 && unreachable.length > 0) throw unreachable[0];
  const [first = proofs[0]] = holding;
  if (first === undefined) throw new RangeError('no statement');
  const { check } = await runCheck({ id: 'chain-statement' }, () => {
    const different = holding.find((proof) => textOf(proof.links) !== textOf(first.links));
    if (different !== undefined) {
      throw new DigestChainError('LINK_MISMATCH', 'chain statements that hold name different images', {
        expected: textOf(first.links),
        found: textOf(different.links),
        hint: 'start from an image of which there is one chain, or remove the statement that is obsolete',
      });
    }
    if (holding.length === 0) throw noneHolds(statements, rejected);
    if (unread > 0) throw crowded(statements.length, unread);
    return {
      evidence: `${holding.length} of ${statements.length} attached holds, and names all images`,
      value: undefined,
    };
  });
  return { ...first, checks: [...first.checks, check] };
}

/** One that was not read may hold as well, and name other images: whoever attached the first ones chose what is read. */
function crowded(read: number, unread: number): DigestChainError {
  return new DigestChainError('LINK_MISMATCH', 'more chain statements are attached than are read', {
    expected: `at most ${MAX_STATEMENTS}`,
    found: `${read} were read, ${unread} more were not`,
    hint: 'remove those that are obsolete, or start from an image that is linked by its labels',
  });
}

function noneHolds(statements: readonly FoundStatement[], rejected: readonly string[]): DigestChainError {
  return new DigestChainError('LINK_MISMATCH', 'no chain statement holds', {
    expected: 'one of which every image is there and embeds what it says',
    found: [...statements.map(({ artifact }) => artifact), ...rejected].join('; ').slice(0, 1000),
  });
}

async function proveStatement(context: ProofContext, { chain, artifact }: FoundStatement): Promise<LinkProof> {
  const { facts, revision, tree } = context;
  const start = chain.images.find((image) => isStart(image, context));
  const present = await runCheck({ id: 'link-present' }, () => linkPresent(chain, artifact, start));
  if (start === undefined || present.check.status !== 'passed') {
    return { checks: [present.check], origin: undefined, links: [], revision: undefined, members: [] };
  }
  const own = ownRegistries(context.repository, context.at.values());
  const proved = await readInOrder(fromStart(chain, start), {
    read: (image) => proveMember(context, chain, image, start),
    isOwn: (image) => image === start || context.at.has(image.role) || own.has(parseReference(image.url).registry),
    failed: ({ steps }) => steps.some(({ check }) => check.status !== 'passed'),
  });
  const byRole = new Map(proved.map((member) => [member.image.role, member]));
  const unread = (id: CheckId, role: string): Check => skipped({ id, role }, 'not read: an image before it failed');
  const checkOf = (id: CheckId, role: string, step: Step<unknown> | undefined) => step?.check ?? unread(id, role);
  const named = [
    revisionsOf('image', facts),
    ...chain.images.map(({ role }) => {
      const found = byRole.get(role)?.tree.value;
      return revisionsOf(role, found && factsOf(found));
    }),
  ];
  const expected = revision ?? chain.source?.commit;
  const sameSource = await runCheck({ id: 'same-revision' }, () => sameRevision(named, expected));
  return {
    checks: [
      present.check,
      ...chain.images
        .filter((image) => image.digest !== tree.manifest.digest)
        .map(({ role }) => checkOf('linked-image-exists', role, byRole.get(role)?.tree)),
      ...chain.embeds.map((edge) => checkOf('embeds-origin', edge.image, byRole.get(edge.image)?.edges.get(edge))),
      ...chain.images.map(({ role }) => checkOf('origin-reconstructed', role, byRole.get(role)?.origin)),
      sameSource.check,
    ],
    origin: originDigest(start),
    links: linksOf(chain, start),
    revision: sameSource.value,
    members: chain.images.flatMap(({ role }) => memberOfChain(byRole.get(role))),
  };
}

function memberOfChain(member: ProvedMember | undefined): AttestedImage[] {
  const tree = member?.tree.value;
  const origin = member?.origin.value;
  if (member === undefined || tree === undefined || origin === undefined) return [];
  const embeds = [...member.edges].map(([edge, step]) => ({ role: edge.embedded, embeddings: step.value ?? [] }));
  return [memberOf({ role: member.image.role, repository: member.repository, embeds }, tree, origin)];
}

/** The images of a chain, each after one that it hangs together with, from the start on. */
function fromStart(chain: Chain, start: ChainImage): readonly ChainImage[] {
  const ordered = new Set([start]);
  for (const { role } of ordered) {
    for (const { image, embedded } of chain.embeds) {
      const other = image === role ? embedded : embedded === role ? image : undefined;
      const found = chain.images.find((candidate) => candidate.role === other);
      if (found !== undefined) ordered.add(found);
    }
  }
  return [...ordered];
}

/** The start may be an image as it is published, or as it was built. */
function isStart(image: ChainImage, { tree }: ProofContext): boolean {
  return image.digest === tree.manifest.digest || originDigest(image) === tree.manifest.digest;
}

function linkPresent(
  chain: Chain,
  artifact: string,
  start: ChainImage | undefined,
): { evidence: string; value: undefined } {
  if (start === undefined) throw new RangeError('a statement that is not about the image');
  const apart = unconnected(chain, start);
  if (apart === undefined && chain.images.length > 1) {
    const others = chain.images.filter((image) => image !== start);
    const named = others.map(({ role, url, digest }) => `${role}: ${url}@${digest}`);
    return { evidence: `${named.join(', ')} (by the chain statement ${artifact})`, value: undefined };
  }
  throw new DigestChainError('LINK_MISSING', 'the chain statement links the image to no other', {
    expected: 'images that embed each other',
    found: apart ?? start.role,
  });
}

/** A role that no embedding connects with the start, in either direction. */
function unconnected(chain: Chain, start: ChainImage): string | undefined {
  const neighbours = new Map<string, string[]>(chain.images.map(({ role }) => [role, []]));
  for (const { image, embedded } of chain.embeds) {
    neighbours.get(image)?.push(embedded);
    neighbours.get(embedded)?.push(image);
  }
  const queue = [start.role];
  for (let role = queue.pop(); role !== undefined; role = queue.pop()) {
    queue.push(...(neighbours.get(role) ?? []));
    neighbours.delete(role);
  }
  return neighbours.keys().next().value;
}

interface ReadMember {
  readonly image: ChainImage;
  /** Where it was read. */
  readonly repository: Repository;
  readonly tree: Step<ImageTree>;
}

async function readMember(context: ProofContext, image: ChainImage, isStart: boolean): Promise<ReadMember> {
  const { registry, tree: start } = context;
  const same = image.digest === start.manifest.digest;
  const given = same ? context.repository : context.at.get(image.role);
  let repository: Repository = given ?? parseReference(image.url);
  const tree = await runCheck({ id: 'linked-image-exists', role: image.role }, async () => {
    // What the proof starts from may be a copy: then the image as it is published is beside the one as it was built.
    if (isStart && given === undefined && (await registry.headManifest(context.repository, image.digest))) {
      repository = context.repository;
    }
    const value = same ? start : await readTree(registry, repository, image.digest);
    return { evidence: `${image.digest}, ${value.manifest.bytes.length} bytes that hash to it`, value };
  });
  return { image, repository, tree };
}

interface ProvedMember extends ReadMember {
  /** For each image that it embeds, how it says so. */
  readonly edges: ReadonlyMap<Embeds, Step<readonly Embedding[]>>;
  readonly origin: Step<ImageTree>;
  /** All of these. */
  readonly steps: readonly Step<unknown>[];
}

/** Reads an image that a statement names, and checks all that it alone has to hold. */
async function proveMember(
  context: ProofContext,
  chain: Chain,
  image: ChainImage,
  start: ChainImage,
): Promise<ProvedMember> {
  const member = await readMember(context, image, image === start);
  const edges = new Map<Embeds, Step<readonly Embedding[]>>();
  for (const edge of chain.embeds) {
    if (edge.image === image.role) edges.set(edge, await checkEdge(context, chain, member, edge));
  }
  const origin = await checkOrigin(context, chain, member, start);
  return { ...member, edges, origin, steps: [member.tree, ...edges.values(), origin] };
}

function checkEdge(
  { names }: ProofContext,
  chain: Chain,
  { tree }: ReadMember,
  edge: Embeds,
): Promise<Step<readonly Embedding[]>> {
  return after([tree], { id: 'embeds-origin', role: edge.image }, () => {
    const embedded = chain.images.find(({ role }) => role === edge.embedded);
    if (tree.value === undefined || embedded === undefined)
      throw new RangeError('an edge of images that are not there');
    const found = findEmbeddings(tree.value, originDigest(embedded), names);
    return {
      evidence: found.map(({ variable, url }) => `${variable} and the label name ${url}`).join('; '),
      value: found,
    };
  });
}

/** What the others embed is what is published, or what a seal was put on. */
function checkOrigin(
  { names }: ProofContext,
  chain: Chain,
  { image, tree }: ReadMember,
  start: ChainImage,
): Promise<Step<ImageTree>> {
  return after([tree], { id: 'origin-reconstructed', role: image.role }, () => {
    const published = tree.value;
    if (published === undefined) throw new RangeError('not read');
    if (image.origin === undefined) {
      return { evidence: `published as it was built: ${image.digest}`, value: published };
    }
    const { origin } = unsealTree(published, names);
    const { digest } = origin.manifest;
    if (digest !== image.origin) {
      throw new DigestChainError('LINK_MISMATCH', 'the chain statement names another origin than the seal', {
        expected: digest,
        found: image.origin,
      });
    }
    checkSealLinks(readTreeSeal(published, names).links, chain, image === start);
    return { evidence: `without the seal's labels the bytes hash to ${digest}`, value: origin };
  });
}

/** Where the proof starts, the statement names all that the seal links to; another image may link to further chains. */
function checkSealLinks(links: readonly Link[], chain: Chain, all: boolean): void {
  for (const link of links) {
    const image = chain.images.find(({ role }) => role === link.role);
    if (image === undefined && !all) continue;
    if (image?.digest === link.digest && image.url === link.url) continue;
    throw new DigestChainError('LINK_MISMATCH', 'the chain statement and the seal link to different images', {
      expected: `${link.role}: ${link.url}@${link.digest}`,
      found: image === undefined ? `no ${link.role}` : `${image.url}@${image.digest}`,
    });
  }
}

/** Where one can go from the start: every other image of the chain. */
function linksOf(chain: Chain, start: ChainImage): readonly Link[] {
  return chain.images.filter((image) => image !== start).map(({ role, url, digest }) => ({ role, url, digest }));
}

function textOf(links: readonly Link[]): string {
  return links.map(({ role, digest }) => `${role}: ${digest}`).join(', ');
}
