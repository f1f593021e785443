import { type DigestChainError, unexpected } from '../errors.ts';
import { decodeJson, items, known, textOf } from '../json/decode.ts';
import { decodeBase64, signerOf, type VerificationKey } from './keys.ts';
import { preAuthenticationEncoding } from './pre-authentication.ts';

/** More signatures on one envelope are refused: Chains and cosign write one, and each is tried with each key. */
const MAX_SIGNATURES = 4;

/**
 * More values in an envelope or a bundle are refused, before anything of them is kept: an envelope has nine, a bundle with
 * its log entries some hundred. Nobody has signed them yet.
 */
const MAX_ENVELOPE_VALUES = 5_000;

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md), decoded and not verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

/** Reads an envelope from its bytes; throws `ATTESTATION_INVALID`, and the codes of JSON. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  return readEnvelope(decodeJson(bytes, MAX_ENVELOPE_VALUES));
}

/** As {@link parseEnvelope}, from JSON that was decoded already. */
function readEnvelope(document: unknown): Envelope {
  const payload = decodeBase64(textOf(known(document, 'payload')) ?? '*');
  const payloadType = textOf(known(document, 'payloadType'));
  const signatures = items(known(document, 'signatures')).map((signature) =>
    decodeBase64(textOf(known(signature, 'sig')) ?? '*'),
  );
  if (payload === undefined || payloadType === undefined) throw noEnvelope('a payload and its type', 'others');
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    throw noEnvelope(`1 to ${MAX_SIGNATURES} signatures`, `${signatures.length}`);
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

const noEnvelope = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a DSSE envelope', expected, found);

/** A sigstore bundle, v0.1 to v0.3 (sigstore/protobuf-specs, sigstore_bundle.proto), decoded and not verified. */
export type Bundle = BundleMaterial &
  (
    | { readonly envelope: Envelope }
    /** Over the artifact's own bytes: here the image's manifest. */
    | {
        readonly signature: Uint8Array;
        readonly algorithm: string | undefined;
        readonly digest: Uint8Array | undefined;
      }
  );

/** What a signature comes with, which is looked at only where certificates are asked for. */
interface BundleMaterial {
  readonly mediaType: string;
  readonly material: unknown;
}

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[123])$/;

/**
 * Reads a bundle; throws `ATTESTATION_INVALID`, and the codes of JSON. Only its content is read: what it says about
 * certificates and transparency logs is for `keyless.ts`, and of its keys nothing is believed.
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  const document = decodeJson(bytes, MAX_ENVELOPE_VALUES);
  const mediaType = textOf(known(document, 'mediaType')) ?? 'none';
  if (!MEDIA_TYPE.test(mediaType)) throw noBundle('a media type of a sigstore bundle', mediaType);
  const envelope = known(document, 'dsseEnvelope');
  const message = known(document, 'messageSignature');
  if ((envelope === undefined) === (message === undefined)) {
    throw noBundle('either dsseEnvelope or messageSignature', envelope === undefined ? 'neither' : 'both');
  }
  const material = known(document, 'verificationMaterial');
  if (envelope !== undefined) return { mediaType, material, envelope: readEnvelope(envelope) };
  const signature = decodeBase64(textOf(known(message, 'signature')) ?? '*');
  if (signature === undefined) throw noBundle('a signature', 'none');
  const declared = known(message, 'messageDigest');
  const digest = decodeBase64(textOf(known(declared, 'digest')) ?? '*');
  return { mediaType, material, signature, algorithm: textOf(known(declared, 'algorithm')), digest };
}

const noBundle = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a sigstore bundle', expected, found);
