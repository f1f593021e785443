import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { Link } from '../seal/links.ts';
import { type Chain, originDigest } from '../statement/chain.ts';
import type { Discovery } from '../statement/discover.ts';

/**
 * Finds a statement that says what the labels of a sealed image say; throws `LINK_MISMATCH` where none does. One is
 * enough: whoever may push to the repository may attach others, and that must not break a proof.
 */
export function agreement(
  { statements, rejected }: Discovery,
  image: { readonly digest: Digest; readonly origin: Digest },
  links: readonly Link[],
): string {
  const problems: string[] = [...rejected];
  for (const { chain, artifact } of statements) {
    const problem = disagreement(chain, image, links);
    if (problem === undefined) return `${artifact} names the same ${chain.images.length} images`;
    problems.push(`${artifact}: ${problem}`);
  }
  throw new DigestChainError('LINK_MISMATCH', 'no chain statement agrees with the labels', {
    expected: `one that names ${image.origin}, sealed as ${image.digest}, and what it links to`,
    found: problems.join('; ').slice(0, 1000),
  });
}

function disagreement(
  chain: Chain,
  image: { readonly digest: Digest; readonly origin: Digest },
  links: readonly Link[],
): string | undefined {
  const own = chain.images.find((candidate) => candidate.digest === image.digest);
  if (own === undefined || originDigest(own) !== image.origin) return 'names another origin';
  for (const { role, digest, url } of links) {
    const linked = chain.images.find((candidate) => candidate.role === role);
    if (linked?.digest !== digest) return `names another ${role} image`;
    if (linked.url !== url) return `places the ${role} image at ${linked.url}`;
    const embeds = chain.embeds.some((edge) => edge.image === role && edge.embedded === own.role);
    if (!embeds) return `does not say that ${role} embeds ${own.role}`;
  }
  return undefined;
}
