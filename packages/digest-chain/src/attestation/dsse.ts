import { type DigestChainError, unexpected } from '../errors.ts';
import { decodeJson, items, member, textOf } from '../json/decode.ts';
import { decodeBase64, signerOf, type VerificationKey } from './keys.ts';
import { preAuthenticationEncoding } from './pre-authentication.ts';

/** More signatures on one envelope are refused: Chains and cosign write one, and each is tried with each key. */
export const MAX_SIGNATURES: number = 4;

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md), decoded and not verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

/** Reads an envelope from its bytes; throws `ATTESTATION_INVALID`, and the codes of JSON. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  return readEnvelope(decodeJson(bytes));
}

/** As {@link parseEnvelope}, from JSON that was decoded already. */
export function readEnvelope(document: unknown): Envelope {
  const payload = decodeBase64(textOf(member(document, 'payload')) ?? '*');
  const payloadType = textOf(member(document, 'payloadType'));
  const signatures = items(member(document, 'signatures')).map((signature) =>
    decodeBase64(textOf(member(signature, 'sig')) ?? '*'),
  );
  if (payload === undefined || payloadType === undefined) throw malformed('a payload and its type', 'others');
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    throw malformed(`1 to ${MAX_SIGNATURES} signatures`, `${signatures.length}`);
  }
  return { payloadType, payload, signatures: signatures.filter((signature) => signature !== undefined) };
}

/** The key that signed the envelope (one of its signatures), or undefined. */
export function envelopeSigner(
  envelope: Envelope,
  keys: readonly VerificationKey[],
): Promise<VerificationKey | undefined> {
  return signerOf(keys, preAuthenticationEncoding(envelope.payloadType, envelope.payload), ...envelope.signatures);
}

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a DSSE envelope', expected, found);
