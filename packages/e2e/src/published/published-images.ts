import {
  type ChainImage,
  discoverStatements,
  parseReference,
  type Reference,
  type Registry,
  type Verification,
} from '@multi-image/digest-chain';
import type { ReportImage } from '../report/report.ts';
import { signatureOf } from '../report/report-images.ts';

/**
 * The images of a chain that was verified: in the roles that the chain statement gives them, each after those that it
 * embeds. Where there is no statement beside the labels, the image that it started from is the one that the others embed.
 */
export async function publishedImages(
  registry: Registry,
  start: Reference,
  proof: Verification,
): Promise<readonly ReportImage[]> {
  const { digest } = proof.image;
  const checks = proof.checks.map(({ id, role, status, evidence }) => ({ id, role, status, text: evidence }));
  const described = await describedImages(registry, start, proof);
  return described.map(({ image, embeds }) => {
    const isStart = image.digest === digest || image.origin === digest;
    const place = isStart ? start : parseReference(image.url);
    return {
      role: image.role,
      title: titleOf(image.role),
      repository: `${place.registry}/${place.repository}`,
      revisionTag: place.tag ?? null,
      embeds,
      originDigest: image.origin ?? image.digest,
      sealedDigest: image.origin === undefined ? null : image.digest,
      latestDigest: isStart && start.tag === 'latest' ? digest : null,
      signature: signatureOf(image.role, checks),
      ran: false,
    };
  });
}

interface Described {
  image: ChainImage;
  embeds: readonly string[];
}

async function describedImages(registry: Registry, start: Reference, proof: Verification): Promise<Described[]> {
  const { digest } = proof.image;
  const stated = proof.checks.some(({ id, status }) => id === 'chain-statement' && status === 'passed');
  const { statements } = stated ? await discoverStatements(registry, start, digest) : { statements: [] };
  for (const { chain } of statements) {
    const own = chain.images.find((image) => image.digest === digest || image.origin === digest);
    const proved = chain.images.filter((image) =>
      proof.links.some((link) => link.role === image.role && link.digest === image.digest),
    );
    // Others may attach statements as well: only one that says what was proved is believed, and only that much of it.
    if (own === undefined || (own.origin ?? own.digest) !== proof.origin || proved.length < proof.links.length)
      continue;
    const shown = [own, ...proved];
    const embedsOf = ({ role }: ChainImage): string[] =>
      chain.embeds
        .filter((edge) => edge.image === role && shown.some((image) => image.role === edge.embedded))
        .map((edge) => edge.embedded);
    return inOrder(shown.map((image) => ({ image, embeds: embedsOf(image) })));
  }
  const role = proof.links.some((link) => link.role === 'primary') ? 'image' : 'primary';
  const origin = proof.origin === undefined || proof.origin === digest ? {} : { origin: proof.origin };
  return [
    { image: { role, url: '', digest, ...origin }, embeds: [] },
    ...proof.links.map((link) => ({ image: link, embeds: [role] })),
  ];
}

/** Each after those that it embeds. A statement's embeddings have no circle. */
function inOrder(images: readonly Described[]): Described[] {
  const ordered: Described[] = [];
  while (ordered.length < images.length) {
    const next = images.find(
      (entry) =>
        !ordered.includes(entry) && entry.embeds.every((role) => ordered.some(({ image }) => image.role === role)),
    );
    if (next === undefined) return [...images];
    ordered.push(next);
  }
  return ordered;
}

/** The roles of this repository's own chain have names; those of others are what they are called. */
function titleOf(role: string): string {
  return { primary: 'Image 1', metadata: 'Image 2' }[role] ?? role;
}
