import { type Digest, digestAlgorithm, digestHex, isDigest } from '../digest.ts';
import { tooLarge } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';
import { parseReference, repositoryName } from '../reference.ts';
import { type Chain, type ChainImage, invalid, orderChain, type Source } from './chain.ts';

/** in-toto attestation, spec/v1/statement.md. */
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** What the predicate of a chain statement means: docs/digest-chain.md, "Chain statement". */
export const PREDICATE_TYPE: string = 'https://poc.konflux.io/image-chain/v1';

/** A statement larger than this is refused. Bytes. */
export const MAX_STATEMENT_SIZE: number = 2 * 1024 * 1024;

/**
 * Writes a chain statement. The same chain gives the same bytes: one order, no whitespace, no time. Throws
 * `STATEMENT_INVALID`.
 */
export function formatStatement(chain: Chain): Uint8Array {
  const ordered = orderChain(chain);
  const bytes = Buffer.from(
    JSON.stringify({
      _type: STATEMENT_TYPE,
      subject: ordered.images.flatMap(subjectsOf),
      predicateType: PREDICATE_TYPE,
      predicate: ordered,
    }),
  );
  checkSize(bytes);
  return bytes;
}

/**
 * Reads a chain statement. Unknown members are ignored, as in-toto demands; everything known must be well formed, no
 * key may repeat, and the subjects must be the images of the predicate, neither more nor fewer. Throws
 * `STATEMENT_INVALID`, `JSON_INVALID`, `JSON_DUPLICATE_KEY`.
 */
export function parseStatement(bytes: Uint8Array): Chain {
  checkSize(bytes);
  const statement = decodeJson(bytes);
  expectText(member(statement, '_type'), STATEMENT_TYPE, 'its _type');
  expectText(member(statement, 'predicateType'), PREDICATE_TYPE, 'its predicateType');
  const predicate = member(statement, 'predicate');
  const source = member(predicate, 'source');
  const chain = orderChain({
    images: items(member(predicate, 'images')).map(parseImage),
    embeds: items(member(predicate, 'embeds')).map((edge) => ({
      image: required(member(edge, 'image'), 'what embeds what'),
      embedded: required(member(edge, 'embedded'), 'what embeds what'),
    })),
    source: source === undefined ? undefined : parseSource(source),
    pipelineRun: optional(member(predicate, 'pipelineRun'), 'the pipeline run'),
  });
  checkSubjects(items(member(statement, 'subject')), chain);
  return chain;
}

/** The digests that a chain is about: of each image that the run built, as it is published, and as it was built. */
export function digestsOf(chain: Chain): ReadonlySet<Digest> {
  return new Set(chain.images.flatMap(builtDigests));
}

function builtDigests({ digest, origin, external }: ChainImage): readonly Digest[] {
  if (external) return [];
  return origin === undefined ? [digest] : [digest, origin];
}

function subjectsOf(image: ChainImage): readonly unknown[] {
  const name = repositoryName(parseReference(image.url));
  return builtDigests(image).map((digest) => ({ name, digest: { [digestAlgorithm(digest)]: digestHex(digest) } }));
}

function parseImage(image: unknown): ChainImage {
  const origin = member(image, 'origin');
  const external = member(image, 'external') ?? false;
  if (typeof external !== 'boolean') throw invalid('external', 'true or false', typeof external);
  return {
    role: required(member(image, 'role'), 'a role'),
    url: required(member(image, 'url'), 'a url'),
    digest: parseDigest(member(image, 'digest')),
    origin: origin === undefined ? undefined : parseDigest(origin),
    external,
  };
}

function parseSource(source: unknown): Source {
  return {
    url: optional(member(source, 'url'), 'the git url'),
    commit: required(member(source, 'commit'), 'the git commit'),
  };
}

function checkSubjects(subjects: readonly unknown[], chain: Chain): void {
  const found = new Set<string>();
  for (const subject of subjects) {
    for (const algorithm of ['sha256', 'sha512']) {
      const hex = textOf(at(subject, 'digest', algorithm));
      if (hex !== undefined) found.add(`${algorithm}:${hex}`);
    }
  }
  const expected = new Set<string>(digestsOf(chain));
  const missing = [...expected].filter((digest) => !found.has(digest));
  const difference = [...missing, ...[...found].filter((digest) => !expected.has(digest))];
  if (difference.length === 0) return;
  throw invalid('its subjects', 'the digests of its images, all and no others', difference.slice(0, 4).join(', '));
}

function parseDigest(value: unknown): Digest {
  const text = required(value, 'a digest');
  if (isDigest(text)) return text;
  throw invalid('a digest', 'sha256:<64 hex digits>', text);
}

function required(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw invalid(what, 'text', value === undefined ? 'nothing' : typeof value);
}

function optional(value: unknown, what: string): string | undefined {
  return value === undefined ? undefined : required(value, what);
}

function expectText(value: unknown, expected: string, what: string): void {
  const found = required(value, what);
  if (found !== expected) throw invalid(what, expected, found);
}

function checkSize({ length }: Uint8Array): void {
  if (length <= MAX_STATEMENT_SIZE) return;
  throw tooLarge('STATEMENT_INVALID', 'the chain statement is too large', MAX_STATEMENT_SIZE, length);
}
