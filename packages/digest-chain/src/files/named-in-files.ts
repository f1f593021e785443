import type { AttestedImage } from '../attestation/attested-image.ts';
import { type Check, runCheck } from '../check.ts';
import type { Embedding } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import { decodeJson } from '../json/decode.ts';
import { blobsOf } from '../read-image.ts';
import { repositoryName } from '../reference.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { readFiles } from './layers.ts';
import { type NamedImage, referencesTo } from './references.ts';

/** Files of an image that have to name the images which it embeds: an operator's bundle, a catalog. */
export interface NamingFiles {
  /** The role of the image that has the files. */
  readonly role: string;
  /** The roles of the images that they name; by default all that it embeds. */
  readonly embeds?: readonly string[] | undefined;
  /** Patterns of their paths, such as `manifests/*.yaml`. */
  readonly in: readonly string[];
}

/** For each image that was asked about, whether its files name what it embeds by the digest that it was built with. */
export async function checkFiles(
  registry: Registry,
  members: readonly AttestedImage[],
  wanted: readonly NamingFiles[],
  released: ReadonlyMap<string, Repository> = new Map(),
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const files of wanted) {
    const about = { id: 'named-in-files', role: files.role } as const;
    checks.push((await runCheck(about, () => judgeFiles(registry, members, files, released))).check);
  }
  return checks;
}

async function judgeFiles(
  registry: Registry,
  members: readonly AttestedImage[],
  { role, embeds, in: patterns }: NamingFiles,
  released: ReadonlyMap<string, Repository>,
): Promise<{ evidence: string; value: undefined }> {
  const member = members.find((each) => each.role === role);
  const edges = member?.embeds.filter((edge) => embeds === undefined || embeds.includes(edge.role)) ?? [];
  if (member === undefined || edges.length < (embeds?.length ?? 1)) {
    throw new DigestChainError('LINK_MISSING', 'the proof says of no such image what it embeds', {
      expected: `an image of the role ${role} that embeds ${embeds?.join(' and ') ?? 'another'}`,
      found: members
        .map((each) => `${each.role}: ${each.embeds.map((edge) => edge.role).join(', ') || 'nothing'}`)
        .join('; '),
      hint: 'start from an image whose links lead to it and to what it embeds',
    });
  }
  const places: string[] = [];
  for (const [at, { bytes }] of member.built.entries()) {
    const [, ...layers] = blobsOf(decodeJson(bytes));
    const named = edges.map(({ embeddings, role: embedded }) => {
      const embedding = embeddingAt(embeddings, at);
      const also = released.get(embedded);
      return { embedding, places: also === undefined ? [embedding.place] : [embedding.place, also], count: 0 };
    });
    const count = await readFiles(registry, member.repository, layers, patterns, ({ path, bytes: content, layer }) => {
      const text = Buffer.from(content).toString();
      for (const each of named) {
        const { digest } = each.embedding;
        const all = each.places.flatMap((place) => referencesTo(repositoryName(place), text));
        const wrong = all.find((reference) => reference.digest !== digest);
        if (wrong !== undefined)
          throw otherImage(wrong, each.embedding, `${path}:${wrong.line} in layer ${layer} of ${role}`);
        each.count += all.length;
        if (all.length > 0) places.push(`${path}:${all.map(({ line }) => line).join(',')}`);
      }
    });
    const missing = named.find((each) => each.count === 0);
    if (missing !== undefined) throw unnamed(missing.embedding, patterns, count);
  }
  const unique = [...new Set(places)];
  const shown = unique.slice(0, 20).join(' ');
  const more = unique.length > 20 ? ` and ${unique.length - 20} more` : '';
  return {
    evidence: `${edges.map((edge) => edge.role).join(' and ')}: ${shown}${more}`.slice(0, 1000),
    value: undefined,
  };
}

function embeddingAt(embeddings: readonly Embedding[], at: number): Embedding {
  const found = embeddings[at];
  if (found === undefined) throw new RangeError('an image of which is not known what it embeds');
  return found;
}

function otherImage(reference: NamedImage, { url }: Embedding, where: string): DigestChainError {
  return new DigestChainError('LINK_MISMATCH', 'a file names another image than the one that was built in', {
    expected: url,
    found: `${reference.text} (${where})`,
    hint: 'let the build write the url that it is given (<NAME>_URL) into the file',
  });
}

function unnamed({ url }: Embedding, patterns: readonly string[], count: number): DigestChainError {
  return new DigestChainError('LINK_MISSING', 'no file names the image that was built in', {
    expected: url,
    found:
      count === 0
        ? `no file that matches ${patterns.join(' or ')}`
        : `${count} files that match, none of which names it`,
  });
}
