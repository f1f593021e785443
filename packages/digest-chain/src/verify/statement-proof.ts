import type { AttestedImage } from '../attestation/attested-image.ts';
import { after, type Check, type CheckId, runCheck, type Step, skipped } from '../check.ts';
import type { Embedding } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import type { LabelNames } from '../label-names.ts';
import type { ReadTree } from '../read-image.ts';
import { parseReference } from '../reference.ts';
import type { Repository } from '../registry/registry.ts';
import type { Link } from '../seal/config.ts';
import { type ImageTree, unsealTree } from '../seal/tree.ts';
import { type Chain, type ChainImage, connectedWith, type Embeds, originDigest } from '../statement/chain.ts';
import { type Discovery, type FoundStatement, MAX_STATEMENTS } from '../statement/discover.ts';
import {
  checkEmbedding,
  isOwn,
  type LinkProof,
  memberOf,
  type ProofContext,
  readInOrder,
  revisionsOf,
  sameRevision,
} from './proof.ts';

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
  // An image in the middle is in the statement of each that it embeds: the widest one says all that the others do.
  const [first = proofs[0]] = holding.toSorted((a, b) => b.links.length - a.links.length);
  if (first === undefined) throw new RangeError('no statement');
  const { check } = await runCheck({ id: 'chain-statement' }, () => {
    const different = holding.find((proof) => !isPartOf(proof.links, first.links));
    if (different !== undefined) {
      throw new DigestChainError('LINK_MISMATCH', 'chain statements that hold name different images', {
        expected: textOf(first.links),
        found: textOf(different.links),
        hint: 'start from an image of which there is one chain, or remove the statement that is obsolete',
      });
    }
    if (holding.length === 0) {
      throw new DigestChainError('LINK_MISMATCH', 'no chain statement holds', {
        expected: 'one of which every image is there and embeds what it says',
        found: [...statements.map(({ artifact }) => artifact), ...rejected].join('; ').slice(0, 1000),
      });
    }
    // One that was not read may hold as well, and name other images: whoever attached the first ones chose what is read.
    if (unread > 0) {
      throw new DigestChainError('LINK_MISMATCH', 'more chain statements are attached than are read', {
        expected: `at most ${MAX_STATEMENTS}`,
        found: `${statements.length} were read, ${unread} more were not`,
        hint: 'remove those that are obsolete, or start from an image that is linked by its labels',
      });
    }
    return {
      evidence: `${holding.length} of ${statements.length} attached holds, and names all images`,
      value: undefined,
    };
  });
  return { ...first, checks: [...first.checks, check] };
}

async function proveStatement(context: ProofContext, { chain, artifact }: FoundStatement): Promise<LinkProof> {
  const { revision, tree } = context;
  const start = chain.images.find((image) => isStart(image, context));
  if (start === undefined) throw new RangeError('a statement that is not about the image');
  const ordered = fromStart(chain, start);
  const links = linksOf(chain, start);
  const present = await runCheck({ id: 'link-present' }, () => linkPresent(chain, artifact, ordered, links));
  if (present.check.status !== 'passed') {
    return { checks: [present.check], origin: undefined, links: [], revision: undefined, members: [] };
  }
  const proved = await readInOrder(ordered, {
    read: (image) => proveMember(context, chain, image, start),
    isOwn: (image) => image === start || isOwn(context, image),
    failed: ({ steps }) => steps.some(({ check }) => check.status !== 'passed'),
  });
  const byRole = new Map(proved.map((member) => [member.image.role, member]));
  const checkOf = (id: CheckId, role: string, step: Step<unknown> | undefined): Check =>
    step?.check ?? skipped({ id, role }, 'not read: an image before it failed');
  const built = chain.images.filter(({ external }) => !external);
  const named = built.map(({ role }) => revisionsOf(role, byRole.get(role)?.tree.value));
  const sameSource = await runCheck({ id: 'same-revision' }, () => {
    return sameRevision([revisionsOf('image', tree), ...named], revision ?? chain.source?.commit);
  });
  return {
    checks: [
      present.check,
      ...chain.images
        .filter((image) => image.digest !== tree.manifest.digest)
        .map(({ role }) => checkOf('linked-image-exists', role, byRole.get(role)?.tree)),
      ...chain.embeds.map((edge) => checkOf('embeds-origin', edge.image, byRole.get(edge.image)?.edges.get(edge))),
      ...built.map(({ role }) => checkOf('origin-reconstructed', role, byRole.get(role)?.origin)),
      sameSource.check,
    ],
    origin: originDigest(start),
    links,
    revision: sameSource.value,
    members: chain.images.flatMap(({ role }) => memberOfChain(byRole.get(role))),
  };
}

function memberOfChain(member: ProvedMember | undefined): AttestedImage[] {
  const tree = member?.tree.value;
  const origin = member?.origin.value;
  if (member === undefined || tree === undefined || origin === undefined) return [];
  const embeds = [...member.edges].map(([edge, step]) => ({ role: edge.embedded, embeddings: step.value ?? [] }));
  const { image, repository } = member;
  if (!image.external) return [memberOf({ role: image.role, repository, embeds }, tree, origin)];
  const { manifest } = tree;
  return [
    { role: image.role, repository, manifest, origin: manifest.digest, built: [manifest], embeds, external: true },
  ];
}

/** The images of a chain that hang together with the start, each after one that it is connected with. */
function fromStart({ images, embeds }: Chain, start: ChainImage): readonly ChainImage[] {
  return [...connectedWith(start.role, embeds)].flatMap((role) => images.find((image) => image.role === role) ?? []);
}

/** The start may be an image as it is published, or as it was built; one that was built elsewhere leads nowhere. */
function isStart(image: ChainImage, { tree }: ProofContext): boolean {
  if (image.external) return false;
  return image.digest === tree.manifest.digest || originDigest(image) === tree.manifest.digest;
}

function linkPresent(
  chain: Chain,
  artifact: string,
  connected: readonly ChainImage[],
  links: readonly Link[],
): { evidence: string; value: undefined } {
  const apart = chain.images.find((image) => !connected.includes(image)) ?? (links.length === 0 && chain.images[0]);
  if (!apart) {
    const named = links.map(({ role, url, digest }) => `${role}: ${url}@${digest}`);
    return { evidence: `${named.join(', ')} (by the chain statement ${artifact})`, value: undefined };
  }
  throw new DigestChainError('LINK_MISSING', 'the chain statement links the image to no other', {
    expected: 'images that embed each other',
    found: apart.role,
  });
}

interface ProvedMember {
  readonly image: ChainImage;
  /** Where it was read. */
  readonly repository: Repository;
  readonly tree: Step<ReadTree>;
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
  const { registry, names } = context;
  const same = image.digest === context.tree.manifest.digest;
  const given = same ? context.repository : context.at.get(image.role);
  let repository: Repository = given ?? parseReference(image.url);
  const tree = await runCheck({ id: 'linked-image-exists', role: image.role }, async () => {
    // What the proof starts from may be a copy: then the image as it is published is beside the one as it was built.
    if (image === start && given === undefined && (await registry.headManifest(context.repository, image.digest))) {
      repository = context.repository;
    }
    const value = await readMember(context, image, repository);
    return { evidence: `${image.digest}, ${value.manifest.bytes.length} bytes that hash to it`, value };
  });
  const edges = new Map<Embeds, Step<readonly Embedding[]>>();
  for (const edge of chain.embeds.filter((each) => each.image === image.role)) {
    const embedded = chain.images.find(({ role }) => role === edge.embedded);
    if (embedded === undefined) throw new RangeError('an edge of images that are not there');
    // Of what was built elsewhere nothing else says which part it has.
    const called = embedded.external ? embedded.role : undefined;
    edges.set(edge, await checkEmbedding(tree, image.role, originDigest(embedded), names, called));
  }
  const origin = await checkOrigin(names, chain, image, tree, image === start);
  return { image, repository, tree, edges, origin, steps: [tree, ...edges.values(), origin] };
}

/** Of an image that was built elsewhere nothing but that it is there: what it is made of is not this chain's. */
async function readMember(
  { registry, readTree, tree }: ProofContext,
  { digest, external }: ChainImage,
  repository: Repository,
): Promise<ReadTree> {
  if (external) return { manifest: await registry.getManifest(repository, digest), images: [] };
  return digest === tree.manifest.digest ? tree : readTree(repository, digest);
}

/** What the others embed is what is published, or what a seal was put on. */
function checkOrigin(
  names: LabelNames,
  chain: Chain,
  image: ChainImage,
  tree: Step<ImageTree>,
  isStart: boolean,
): Promise<Step<ImageTree>> {
  return after(tree, { id: 'origin-reconstructed', role: image.role }, (published) => {
    if (image.origin === undefined) {
      return { evidence: `published as it was built: ${image.digest}`, value: published };
    }
    const { origin, seal } = unsealTree(published, names);
    const { digest } = origin.manifest;
    if (digest !== image.origin) {
      throw new DigestChainError('LINK_MISMATCH', 'the chain statement names another origin than the seal', {
        expected: digest,
        found: image.origin,
      });
    }
    checkSealLinks(seal.links, chain, isStart);
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

/** Whether what is named by one is named by the other, in the same roles. */
function isPartOf(links: readonly Link[], all: readonly Link[]): boolean {
  return links.every(({ role, digest }) => all.some((other) => other.role === role && other.digest === digest));
}

function textOf(links: readonly Link[]): string {
  return links.map(({ role, digest }) => `${role}: ${digest}`).join(', ');
}
