import { discoverStatements, type Link, type Verification } from '@multi-image/digest-chain';
import type { LabelNames, Reference, Registry, Repository } from '@multi-image/digest-chain/oci';
import type { ReportExternal, ReportImage } from '../../report/report.ts';
import { signatureOf } from '../../report/report-of.ts';
import { readBuilt } from './built-image.ts';
import { agreed, linkedPlace, type Member, placeOf, referenceOf, type Told, withRoles } from './members.ts';

export interface PublishedImage {
  readonly image: ReportImage;
  /** What the checks of the proof may call it. */
  readonly provedAs: readonly string[];
}

/** The images that a proof says were built elsewhere, by what its statement says. */
export function externalImages({ images }: Verification): readonly ReportExternal[] {
  return images.filter(({ external }) => external).map(({ role, place, digest }) => ({ role, named: place, digest }));
}

/**
 * The images of a chain that was verified, each after those that it embeds. Roles, places and embeddings are what the
 * images themselves say by their labels, which their digests prove. Whoever may push can attach a statement: it is asked
 * only for what no label says, and believed only where no other statement about the same images says otherwise.
 */
export async function publishedImages(
  registry: Registry,
  start: Reference,
  whole: Verification,
  { names, at }: { names: LabelNames; at: ReadonlyMap<string, Repository> },
): Promise<readonly PublishedImage[]> {
  const external = externalImages(whole).map(({ role }) => role);
  const proof = { ...whole, links: whole.links.filter(({ role }) => !external.includes(role)) };
  const { digest } = proof.image;
  const sealed = await readBuilt(registry, start, digest, names);
  const statements = sealed.links.length > 0 ? [] : await statementsOn(registry, start, proof);
  const published = agreed(statements.map(({ own }) => own.digest)) ?? digest;
  const own = published === digest ? sealed : await readBuilt(registry, start, published, names);
  const linked = proof.links.map(async (link): Promise<Member> => {
    const place = at.get(link.role) ?? referenceOf(link.url);
    const unread = { origin: link.digest, links: [], embeds: [] };
    const built = place === undefined ? unread : await readBuilt(registry, place, link.digest, names);
    return { link, called: link.role, digest: link.digest, built };
  });
  const first: Member = {
    link: undefined,
    called: agreed(statements.map((statement) => statement.own.role)),
    digest: published,
    built: { ...own, origin: proof.origin ?? own.origin },
  };
  const members = withRoles([first, ...(await Promise.all(linked))]);
  const isEmbedded = (member: Member): boolean => members.some((other) => embeds(other, member));
  const described = members.map((member): PublishedImage => {
    const { role, link, built } = member;
    const embedded = members.filter(
      (other) =>
        embeds(member, other) ||
        // Without a statement the links are the seal's: those of the images that embed the one it started from.
        (link !== undefined && statements.length === 0 && other.link === undefined),
    );
    const known = proof.links.map((other) => other.role);
    const others = [role, ...statements.map((statement) => statement.own.role), 'sealed image'];
    const provedAs = link === undefined ? others.filter((name) => !known.includes(name)) : [link.role];
    const signatures = provedAs.map((name) => signatureOf(name, proof.checks));
    return {
      provedAs,
      image: {
        role,
        title: titleOf(role),
        ...(link === undefined ? placeOf(start) : linkedPlace(member, link, members, statements, at)),
        embeds: embedded.map((other) => other.role),
        originDigest: built.origin,
        seal: built.origin !== member.digest ? 'label' : isEmbedded(member) ? 'referrer' : 'none',
        sealedDigest: built.origin === member.digest ? null : member.digest,
        latestDigest: link === undefined && start.tag === 'latest' ? digest : null,
        signature: signatures.find((signature) => signature !== null) ?? null,
        ran: false,
      },
    };
  });
  return inOrder(described);
}

async function statementsOn(registry: Registry, start: Reference, proof: Verification): Promise<readonly Told[]> {
  const { digest } = proof.image;
  const { statements } = await discoverStatements(registry, start, digest).catch(() => ({ statements: [] }));
  return statements.flatMap(({ chain: { images } }) => {
    const own = images.find((image) => image.digest === digest || image.origin === digest);
    const others = images.filter((image) => image !== own && !image.external);
    const same = (link: Link): boolean =>
      others.some(({ role, ...at }) => role === link.role && at.digest === link.digest);
    if (own === undefined || (own.origin ?? own.digest) !== proof.origin) return [];
    return others.length === proof.links.length && proof.links.every(same) ? [{ own, others }] : [];
  });
}

function embeds(image: Member, other: Member): boolean {
  return image !== other && image.built.embeds.some(({ digest }) => digest === other.built.origin);
}

/** Each after those that it embeds, as far as there is no cycle. */
function inOrder(images: readonly PublishedImage[]): readonly PublishedImage[] {
  const ordered: PublishedImage[] = [];
  while (ordered.length < images.length) {
    const isNext = (entry: PublishedImage): boolean =>
      !ordered.includes(entry) && entry.image.embeds.every((role) => ordered.some(({ image }) => image.role === role));
    const next = images.find(isNext);
    if (next === undefined) return images;
    ordered.push(next);
  }
  return ordered;
}

/** The roles of this repository's own chain have names; those of others are what they are called. */
function titleOf(role: string): string {
  return { primary: 'Image 1', metadata: 'Image 2' }[role] ?? role;
}
