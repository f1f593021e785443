import type { Bundle, HashAlgorithm } from '@sigstore/protobuf-specs';
import { reasonOf } from '../../../kit/src/errors.ts';
import { DigestChainError } from '../errors.ts';

const { createHash } = process.getBuiltinModule('node:crypto');

/** Whom a Sigstore instance is trusted by: its certificate authorities, its logs, its timestamp authorities. */
export interface TrustedRoot {
  /**
   * Verifies a signature with the certificate that comes with it: the signature; the certificate's chain, at the time that
   * a log or a timestamp authority attests; its entry in a certificate log; the entry of the signature in a transparency
   * log. Answers with whom the certificate names; throws whatever is wrong.
   */
  verify(signed: SignedByCertificate): CertificateSubject;
}

/** Whom a certificate of Fulcio names. */
export interface CertificateSubject {
  /** The first URI, or the e-mail address, among its subject alternative names. */
  readonly subject: string;
  /** The issuer of the token that the signer showed. */
  readonly issuer: string;
}

/** A signature and what it came with. */
export interface SignedByCertificate {
  /** Of the bundle: each version demands something else. */
  readonly mediaType: string;
  /** `verificationMaterial` of a bundle, as JSON (sigstore/protobuf-specs, sigstore_bundle.proto). */
  readonly material: unknown;
  readonly signature: Uint8Array;
  readonly content:
    | { readonly payloadType: string; readonly payload: Uint8Array }
    | { readonly message: Uint8Array; readonly algorithm: MessageHash };
}

export type MessageHash = 'SHA2_256' | 'SHA2_384' | 'SHA2_512';

/** The hash of a message, as a bundle says it. */
export function messageDigest({ message, algorithm }: { message: Uint8Array; algorithm: MessageHash }): Buffer {
  return createHash(NODE_HASH[algorithm]).update(message).digest();
}

/** What public signatures are made with, and what knows it: none of it is loaded where keys alone are asked for. */
async function loadSigstore() {
  try {
    const [specs, bundle, verify] = await Promise.all([
      import('@sigstore/protobuf-specs'),
      import('@sigstore/bundle'),
      import('@sigstore/verify'),
    ]);
    return { ...specs, ...bundle, ...verify };
  } catch (cause) {
    throw unsupported(cause);
  }
}

/**
 * Reads a trusted root: Sigstore's `trusted_root.json`, which `cosign trusted-root create` writes and TUF repositories hand
 * out. Throws `TRUSTED_ROOT_INVALID`, and `KEYLESS_UNSUPPORTED` where the libraries are not there.
 */
export async function parseTrustedRoot(json: string): Promise<TrustedRoot> {
  const sigstore = await loadSigstore();
  const { TrustedRoot: Root, Verifier, VerificationMaterial, toSignedEntity, toTrustMaterial } = sigstore;
  let verifier: InstanceType<typeof Verifier>;
  try {
    const root = Root.fromJSON(JSON.parse(json));
    if (!root.mediaType.startsWith(MEDIA_TYPE)) throw new Error(`its media type is ${root.mediaType || 'missing'}`);
    if (root.certificateAuthorities.length === 0) throw new Error('it has no certificate authority');
    // Without it the library takes the key for one of all times.
    const timeless = [...root.tlogs, ...root.ctlogs].find(({ publicKey }) => publicKey?.validFor?.start === undefined);
    if (timeless !== undefined)
      throw new Error(`the key of ${timeless.baseUrl || 'a log'} has no beginning (validFor)`);
    // One timestamp, by a log or an authority; one entry in a certificate log; one in a transparency log.
    const thresholds = { timestampThreshold: 1, ctlogThreshold: 1, tlogThreshold: 1 };
    verifier = new Verifier(toTrustMaterial(root), thresholds);
  } catch (cause) {
    throw new DigestChainError('TRUSTED_ROOT_INVALID', 'not a trusted root', {
      expected: 'a trusted_root.json of Sigstore, with a certificate authority',
      found: reasonOf(cause).slice(0, 160),
      cause,
    });
  }
  const checks: Readonly<Record<string, (bundle: Bundle) => void>> = {
    [sigstore.BUNDLE_V01_MEDIA_TYPE]: sigstore.assertBundleV01,
    [sigstore.BUNDLE_V02_MEDIA_TYPE]: sigstore.assertBundleV02,
  };
  return {
    verify({ mediaType, material, signature, content }) {
      const sig = Buffer.from(signature);
      const bundle: Bundle = {
        mediaType,
        verificationMaterial: VerificationMaterial.fromJSON(material),
        content:
          'payload' in content
            ? {
                $case: 'dsseEnvelope',
                dsseEnvelope: {
                  payloadType: content.payloadType,
                  payload: Buffer.from(content.payload),
                  signatures: [{ sig, keyid: '' }],
                },
              }
            : {
                $case: 'messageSignature',
                messageSignature: {
                  messageDigest: {
                    algorithm: sigstore.HashAlgorithm[content.algorithm] as HashAlgorithm,
                    digest: messageDigest(content),
                  },
                  signature: sig,
                },
              },
      };
      const check: (bundle: Bundle) => void = checks[mediaType] ?? sigstore.assertBundleLatest;
      check(bundle);
      const artifact = 'message' in content ? Buffer.from(content.message) : undefined;
      const entity = toSignedEntity(bundle as Parameters<typeof toSignedEntity>[0], artifact);
      if (entity.key.$case !== 'certificate') throw new Error('it comes with no certificate');
      const { identity } = verifier.verify(entity);
      return { subject: identity?.subjectAlternativeName ?? '', issuer: identity?.extensions?.issuer ?? '' };
    },
  };
}

const MEDIA_TYPE = 'application/vnd.dev.sigstore.trustedroot';
const NODE_HASH = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const;

/** Where a trusted root is fetched from. */
export interface TufRepository {
  /** The address of a TUF repository; the one of Sigstore's public instance by default. */
  readonly mirror?: string | undefined;
  /** The path of its `root.json`, which the first fetch is verified with; the public instance's comes with the library. */
  readonly root?: string | undefined;
  /** The folder in which what was fetched is kept; nothing is asked for until that expires. */
  readonly cache: string;
}

/**
 * Fetches the trusted root of a Sigstore instance from its TUF repository (theupdateframework.io, specification 1.0). Throws
 * `TRUSTED_ROOT_UNAVAILABLE`, `TRUSTED_ROOT_INVALID`, `KEYLESS_UNSUPPORTED`.
 */
export async function fetchTrustedRoot({ mirror, root, cache }: TufRepository): Promise<TrustedRoot> {
  const { initTUF, DEFAULT_MIRROR_URL } = await import('@sigstore/tuf').catch((cause) => {
    throw unsupported(cause);
  });
  const mirrorURL = (mirror ?? DEFAULT_MIRROR_URL).replace(/\/+$/, '');
  if (mirrorURL !== DEFAULT_MIRROR_URL && root === undefined) {
    throw new DigestChainError('TRUSTED_ROOT_INVALID', `nothing says whom to trust at ${mirrorURL}`, {
      expected: 'the root.json of this TUF repository, from a place that is trusted already',
      found: 'none',
      hint: 'give it with --tuf-root, or a trusted root with --trusted-root',
    });
  }
  let json: string;
  try {
    const tuf = await initTUF({ mirrorURL, rootPath: root, cachePath: cache, forceCache: true });
    json = await tuf.getTarget('trusted_root.json');
  } catch (cause) {
    throw new DigestChainError('TRUSTED_ROOT_UNAVAILABLE', `no trusted root could be had from ${mirrorURL}`, {
      expected: 'a TUF repository with trusted_root.json',
      found: reasonOf(cause).slice(0, 300),
      hint: 'a trusted_root.json can be given as it is (--trusted-root), and then nothing is asked for',
      cause,
    });
  }
  return parseTrustedRoot(json);
}

function unsupported(cause: unknown): DigestChainError {
  return new DigestChainError('KEYLESS_UNSUPPORTED', 'signatures with a certificate can not be checked here', {
    expected: 'the published command, or an installed @sigstore/verify',
    found: 'the source of digest-chain by itself',
    hint: 'use npx @multi-image/digest-chain, or the public key of the build system (--key)',
    cause,
  });
}
