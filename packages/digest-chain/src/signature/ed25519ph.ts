import type { EdDSA } from '@noble/curves/abstract/edwards.js';
import { DigestChainError } from '../errors.ts';

const { createHash } = process.getBuiltinModule('node:crypto');

/** What of a message is signed: its SHA-512. */
export function sha512(message: Uint8Array): Uint8Array {
  return createHash('sha512').update(message).digest();
}

/**
 * Whether a signature is one over the message with this {@link sha512}, by Ed25519ph (RFC 8032, section 5.1.7, without a
 * context): what cosign makes with an Ed25519 key, of images and of DSSE envelopes alike. Node's crypto has only the plain
 * scheme. Throws `KEY_UNSUPPORTED` where the library for it is not there.
 */
export async function verifiesEd25519ph(
  publicKey: Uint8Array,
  prehash: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  scheme ??= loadScheme();
  const { verify } = await scheme;
  try {
    return verify(signature, prehash, publicKey, { zip215: false });
  } catch {
    // A key or a signature that is malformed.
    return false;
  }
}

let scheme: Promise<EdDSA> | undefined;

/** The one dependency: bundled into what is published, and not there where pipelines run this source as it is. */
async function loadScheme(): Promise<EdDSA> {
  try {
    const [{ eddsa }, { ed25519 }] = await Promise.all([
      import('@noble/curves/abstract/edwards.js'),
      import('@noble/curves/ed25519.js'),
    ]);
    // The message comes hashed, since Node does that faster, and once for all keys.
    const domain = (data: Uint8Array): Uint8Array =>
      Buffer.concat([Buffer.from('SigEd25519 no Ed25519 collisions\u0001\u0000', 'latin1'), data]);
    return eddsa(ed25519.Point, sha512, { prehash: (message: Uint8Array) => message, domain });
  } catch (cause) {
    throw new DigestChainError('KEY_UNSUPPORTED', 'signatures of the kind Ed25519ph can not be checked here', {
      expected: 'the published command, or an installed @noble/curves',
      found: 'the source of digest-chain by itself',
      hint: 'use npx @multi-image/digest-chain, or a key of another kind',
      cause,
    });
  }
}
