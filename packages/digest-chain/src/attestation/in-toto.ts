import { type Digest, isDigest } from '../digest.ts';
import { type DigestChainError, unexpected } from '../errors.ts';
import { at, decodeJson, items, member, textOf } from '../json/decode.ts';

/** An in-toto statement, v0.1 or v1 (in-toto/attestation, spec/v1/statement.md). */
export interface InTotoStatement {
  readonly predicateType: string;
  /** The digests of everything that the statement is about. */
  readonly subjects: ReadonlySet<Digest>;
  readonly predicate: unknown;
}

/** More subjects are refused. */
export const MAX_SUBJECTS: number = 10_000;

const TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];

/** Reads a statement; throws `ATTESTATION_INVALID`, and the codes of JSON. */
export function parseInTotoStatement(payload: Uint8Array): InTotoStatement {
  const document = decodeJson(payload);
  const type = textOf(member(document, '_type')) ?? 'none';
  if (!TYPES.includes(type)) throw malformed(TYPES.join(' or '), type);
  const predicateType = textOf(member(document, 'predicateType'));
  if (predicateType === undefined) throw malformed('a predicateType', 'none');
  const subject = items(member(document, 'subject'));
  if (subject.length > MAX_SUBJECTS) throw malformed(`up to ${MAX_SUBJECTS} subjects`, `${subject.length}`);
  return { predicateType, subjects: new Set(subject.flatMap(digestsOf)), predicate: member(document, 'predicate') };
}

function digestsOf(subject: unknown): Digest[] {
  return ['sha256', 'sha512']
    .map((algorithm) => `${algorithm}:${textOf(at(subject, 'digest', algorithm))}`)
    .filter(isDigest);
}

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not an in-toto statement', expected, found);
