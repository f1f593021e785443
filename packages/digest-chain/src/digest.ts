import { unexpected } from './errors.ts';

// An import would load all that node:crypto exports, web cryptography among it, at every start of the command.
const { createHash } = process.getBuiltinModule('node:crypto');

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case (image-spec, descriptor.md, "Digests"). */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const PATTERN = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** Validates a digest; throws `DIGEST_INVALID` with what was found. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw unexpected('DIGEST_INVALID', 'not a digest', 'sha256:<64 lower-case hex digits> or sha512:<128>', text);
}

/** The digest of these bytes. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** What follows the algorithm in a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The algorithm part of a digest. */
export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}
