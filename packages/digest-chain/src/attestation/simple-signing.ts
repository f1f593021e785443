import { type Digest, isDigest } from '../digest.ts';
import { type DigestChainError, unexpected } from '../errors.ts';
import { at, decodeJson, textOf } from '../json/decode.ts';

/**
 * The digest of the image that a simple signing payload is about (containers/image, containers-signature(5), "JSON data
 * format", with cosign's type). Throws `ATTESTATION_INVALID`, and the codes of JSON.
 */
export function signedDigest(payload: Uint8Array): Digest {
  const document = decodeJson(payload);
  const type = textOf(at(document, 'critical', 'type'));
  if (type !== COSIGN_TYPE) throw malformed(COSIGN_TYPE, type ?? 'no type');
  const digest = textOf(at(document, 'critical', 'image', 'docker-manifest-digest'));
  if (digest === undefined || !isDigest(digest)) throw malformed('a docker-manifest-digest', digest ?? 'none');
  return digest;
}

// Other things are signed with the same keys: only a payload that says what it is can be a signature of an image.
const COSIGN_TYPE = 'cosign container image signature';

const malformed = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a signature of a container image', expected, found);
