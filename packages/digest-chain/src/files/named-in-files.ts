import type { AttestedImage } from '../attestation/attested-image.ts';
import { type Check, isFinding, runCheck } from '../check.ts';
import type { Embedding } from '../embedding.ts';
import { DigestChainError } from '../errors.ts';
import { decodeJson } from '../json/decode.ts';
import { blobsOf } from '../read-image.ts';
import { repositoryName } from '../reference.ts';
import type { Registry, Repository } from '../registry/registry.ts';
import { type Glob, globOf } from './glob.ts';
import { type LayerFile, readFiles } from './layers.ts';
import { type NamedImage, type PackedText, packedTexts, referencesTo } from './references.ts';

/** Files of an image that have to name the images which it embeds: an operator's bundle, a catalog. */
export interface NamingFiles {
  /** The role of the image that has the files. */
  readonly role: string;
  /** The roles of the images that they name; by default all that it embeds. */
  readonly embeds?: readonly string[] | undefined;
  /** Patterns of their paths, such as `manifests/*.yaml`. */
  readonly in: readonly string[];
}

/**
 * For each image that was asked about, whether its files name what it embeds by the digest that it was built with. The
 * layers of an image are read once, whatever is asked about it.
 */
export async function checkFiles(
  registry: Registry,
  members: readonly AttestedImage[],
  wanted: readonly NamingFiles[],
  released: ReadonlyMap<string, Repository> = new Map(),
): Promise<readonly Check[]> {
  const questions = wanted.map((files) => new Question(members, files, released));
  for (const member of members) {
    const about = questions.filter((question) => question.member === member);
    if (about.length > 0) await readAll(registry, member, about);
  }
  const checks = questions.map((question) =>
    runCheck({ id: 'named-in-files', role: question.role }, () => question.answer()),
  );
  return (await Promise.all(checks)).map(({ check }) => check);
}

async function readAll(registry: Registry, member: AttestedImage, questions: readonly Question[]): Promise<void> {
  const patterns = [...new Set(questions.flatMap((question) => question.patterns))];
  for (const [at, { bytes }] of member.built.entries()) {
    const [, ...layers] = blobsOf(decodeJson(bytes));
    for (const question of questions) question.begin(at);
    try {
      await readFiles(registry, member.repository, layers, patterns, (file) => {
        const text = Buffer.from(file.bytes).toString();
        const packed = packedTexts(text);
        for (const question of questions) question.see(file, text, packed);
      });
    } catch (error) {
      if (!isFinding(error)) throw error;
      for (const question of questions) question.fail(error);
    }
    for (const question of questions) question.end();
  }
}

/** What is asked about the files of one image, and what was found of it so far. */
class Question {
  readonly role: string;
  readonly patterns: readonly string[];
  /** Undefined where nothing can be asked. */
  readonly member: AttestedImage | undefined;
  readonly #edges: AttestedImage['embeds'];
  readonly #globs: readonly Glob[];
  readonly #released: ReadonlyMap<string, Repository>;
  readonly #places = new Set<string>();
  #named: readonly { embedding: Embedding; places: readonly Repository[]; count: number }[] = [];
  #files = 0;
  #failure: DigestChainError | undefined;

  constructor(
    members: readonly AttestedImage[],
    { role, embeds, in: patterns }: NamingFiles,
    released: ReadonlyMap<string, Repository>,
  ) {
    this.role = role;
    this.patterns = patterns;
    this.#globs = patterns.map(globOf);
    this.#released = released;
    const member = members.find((each) => each.role === role);
    this.#edges = member?.embeds.filter((edge) => embeds === undefined || embeds.includes(edge.role)) ?? [];
    if (member !== undefined && this.#edges.length >= (embeds?.length ?? 1)) this.member = member;
    else this.#failure = noSuchEdge(members, role, embeds);
  }

  /** The files that follow are of this one of the images that were built. */
  begin(at: number): void {
    this.#files = 0;
    this.#named = this.#edges.map(({ embeddings, role }) => {
      const embedding = embeddingAt(embeddings, at);
      const also = this.#released.get(role);
      return { embedding, places: also === undefined ? [embedding.place] : [embedding.place, also], count: 0 };
    });
  }

  see({ path, layer }: LayerFile, text: string, packed: readonly PackedText[]): void {
    if (this.#failure !== undefined || !this.#globs.some((glob) => glob.matches(path))) return;
    this.#files++;
    for (const each of this.#named) {
      const all = each.places.flatMap((place) => {
        const name = repositoryName(place);
        const inside = packed.flatMap(({ line, text }) =>
          referencesTo(name, text).map((found) => ({ ...found, line })),
        );
        return [...referencesTo(name, text), ...inside];
      });
      const wrong = all.find((reference) => reference.digest !== each.embedding.digest);
      if (wrong !== undefined) {
        this.fail(otherImage(wrong, each.embedding, `${path}:${wrong.line} in layer ${layer} of ${this.role}`));
        return;
      }
      each.count += all.length;
      if (all.length > 0) this.#places.add(`${path}:${[...new Set(all.map(({ line }) => line))].join(',')}`);
    }
  }

  end(): void {
    const missing = this.#named.find((each) => each.count === 0);
    if (missing !== undefined) this.fail(unnamed(missing.embedding, this.patterns, this.#files));
  }

  /** The first reason counts. */
  fail(reason: DigestChainError): void {
    this.#failure ??= reason;
  }

  answer(): { evidence: string; value: undefined } {
    if (this.#failure !== undefined) throw this.#failure;
    const unique = [...this.#places];
    const shown = unique.slice(0, 20).join(' ');
    const more = unique.length > 20 ? ` and ${unique.length - 20} more` : '';
    return {
      evidence: `${this.#edges.map((edge) => edge.role).join(' and ')}: ${shown}${more}`.slice(0, 1000),
      value: undefined,
    };
  }
}

function noSuchEdge(
  members: readonly AttestedImage[],
  role: string,
  embeds: readonly string[] | undefined,
): DigestChainError {
  return new DigestChainError('LINK_MISSING', 'the proof says of no such image what it embeds', {
    expected: `an image of the role ${role} that embeds ${embeds?.join(' and ') ?? 'another'}`,
    found: members
      .map((each) => `${each.role}: ${each.embeds.map((edge) => edge.role).join(', ') || 'nothing'}`)
      .join('; '),
    hint: 'start from an image whose links lead to it and to what it embeds',
  });
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
