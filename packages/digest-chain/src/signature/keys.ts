import type { KeyObject } from 'node:crypto';
import { DigestChainError } from '../errors.ts';
import { sha512, verifiesEd25519ph } from './ed25519ph.ts';

const { constants, createHash, createPublicKey, verify } = process.getBuiltinModule('node:crypto');

/** A key that signatures are checked with. */
export interface VerificationKey {
  /** `sha256:<hex>` of the key's DER (SubjectPublicKeyInfo): what identifies it in a report. */
  readonly id: string;
  readonly kind: 'ECDSA P-256' | 'ECDSA P-384' | 'RSA' | 'Ed25519';
  readonly key: KeyObject;
}

/** More keys in one file are refused. */
const MAX_KEYS = 32;

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;
const BOUNDARY = /-----(?:BEGIN|END) /;
const MIN_RSA_BITS = 2048;

/**
 * Reads public keys from PEM text (RFC 7468, "PUBLIC KEY"): ECDSA on P-256 or P-384, RSA from 2048 bits, Ed25519. Text
 * outside of the blocks is passed over (section 2 of it: "Data before the encapsulation boundaries are permitted"), but
 * not half a block. Throws `KEY_INVALID`, also for a private key: it has no business where signatures are checked.
 */
export function parsePublicKeys(pem: string): readonly VerificationKey[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.length === 0 || blocks.length > MAX_KEYS || BOUNDARY.test(pem.replace(BLOCK, ''))) {
    throw new DigestChainError('KEY_INVALID', 'not a file of public keys', {
      expected: `1 to ${MAX_KEYS} whole -----BEGIN PUBLIC KEY----- blocks`,
      found: `${blocks.length} blocks in ${pem.length} characters`,
    });
  }
  return blocks.map(([block, label]) => {
    if (label !== 'PUBLIC KEY') throw unusable('-----BEGIN PUBLIC KEY-----', `-----BEGIN ${label}-----`);
    return toVerificationKey(readKey(block));
  });
}

/**
 * Whether `signature` is one over `message`, by this key, as cosign makes them: ECDSA in DER over SHA-256 (P-384 also
 * over SHA-384), RSA PKCS #1 v1.5 over SHA-256, Ed25519 over the message itself or, as Ed25519ph, over its SHA-512.
 */
export async function verifies(
  { kind, key }: VerificationKey,
  message: Uint8Array,
  signature: Uint8Array,
  prehash: () => Uint8Array = () => sha512(message),
): Promise<boolean> {
  switch (kind) {
    case 'Ed25519':
      if (signature.length !== ED25519_SIGNATURE) return false;
      return check(null, message, key, signature) || verifiesEd25519ph(pointOf(key), prehash(), signature);
    case 'RSA':
      return check('sha256', message, key, signature);
    case 'ECDSA P-256':
      return check('sha256', message, key, signature);
    case 'ECDSA P-384':
      return check('sha256', message, key, signature) || check('sha384', message, key, signature);
  }
}

/** The first of the keys that made one of the signatures. */
export async function signerOf(
  keys: readonly VerificationKey[],
  message: Uint8Array,
  ...signatures: readonly Uint8Array[]
): Promise<VerificationKey | undefined> {
  let hash: Uint8Array | undefined;
  const prehash = (): Uint8Array => {
    hash ??= sha512(message);
    return hash;
  };
  for (const signature of signatures) {
    for (const key of keys) if (await verifies(key, message, signature, prehash)) return key;
  }
  return undefined;
}

// A class that matches one character, for text of many megabytes: a quantifier over it would overflow V8's stack.
const OUTSIDE_BASE64 = /[^A-Za-z0-9+/]/;
const OUTSIDE_BASE64_URL = /[^A-Za-z0-9_-]/;

/**
 * Base64 as Go and DSSE write it: in the alphabet with `+/` padded, in the one with `-_` padded or not. Undefined where
 * it is malformed; Buffer.from would skip what it can't read.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.slice(0, text.length - padding);
  if (text.length % 4 === 0 && !OUTSIDE_BASE64.test(digits)) return Buffer.from(text, 'base64');
  return OUTSIDE_BASE64_URL.test(digits) ? undefined : Buffer.from(text, 'base64url');
}

function check(hash: string | null, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const input = key.asymmetricKeyType === 'rsa' ? { key, padding: constants.RSA_PKCS1_PADDING } : key;
  try {
    return verify(hash, message, input, signature);
  } catch {
    // A signature that can't be parsed is none.
    return false;
  }
}

const ED25519_SIGNATURE = 64;

/** The last 32 bytes of a key's DER (RFC 8410). */
function pointOf(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(-32);
}

function readKey(block: string): KeyObject {
  try {
    return createPublicKey(block);
  } catch (cause) {
    throw new DigestChainError('KEY_INVALID', 'a public key could not be read', { expected: 'PEM', cause });
  }
}

function toVerificationKey(key: KeyObject): VerificationKey {
  const der = key.export({ type: 'spki', format: 'der' });
  return { id: `sha256:${createHash('sha256').update(der).digest('hex')}`, kind: kindOf(key), key };
}

function kindOf(key: KeyObject): VerificationKey['kind'] {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ECDSA P-256';
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'secp384r1') return 'ECDSA P-384';
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= MIN_RSA_BITS) return 'RSA';
  const size = namedCurve ?? (modulusLength === undefined ? '' : `${modulusLength} bits`);
  throw unusable('ECDSA P-256 or P-384, RSA from 2048 bits, Ed25519', `${key.asymmetricKeyType} ${size}`.trim());
}

function unusable(expected: string, found: string): DigestChainError {
  return new DigestChainError('KEY_INVALID', 'a key of a kind that signatures are not checked with', {
    expected,
    found,
  });
}
