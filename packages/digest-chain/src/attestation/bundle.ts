import { type DigestChainError, unexpected } from '../errors.ts';
import { at, decodeJson, member, textOf } from '../json/decode.ts';
import { type Envelope, readEnvelope } from './dsse.ts';
import { decodeBase64 } from './keys.ts';

/** A sigstore bundle, v0.1 to v0.3 (sigstore/protobuf-specs, sigstore_bundle.proto), decoded and not verified. */
export type Bundle =
  | { readonly envelope: Envelope }
  /** Over the artifact's own bytes: here the image's manifest. */
  | { readonly signature: Uint8Array };

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[123])$/;

/**
 * Reads a bundle; throws `ATTESTATION_INVALID`, and the codes of JSON. Only its content is looked at: what it says about
 * keys, certificates and transparency logs is not, because the key comes from the caller.
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  const document = decodeJson(bytes);
  const mediaType = textOf(member(document, 'mediaType')) ?? 'none';
  if (!MEDIA_TYPE.test(mediaType)) throw malformed('a media type of a sigstore bundle', mediaType);
  const envelope = member(document, 'dsseEnvelope');
  const message = member(document, 'messageSignature');
  if ((envelope === undefined) === (message === undefined)) {
    throw malformed('either dsseEnvelope or messageSignature', envelope === undefined ? 'neither' : 'both');
  }
  if (envelope !== undefined) return { envelope: readEnvelope(envelope) };
  const signature = decodeBase64(textOf(at(message, 'signature')) ?? '*');
  if (signature === undefined) throw malformed('a signature', 'none');
  return { signature };
}

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a sigstore bundle', expected, found);
