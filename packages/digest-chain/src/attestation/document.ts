import { type Digest, isDigest } from '../digest.ts';
import { DigestChainError, unexpected } from '../errors.ts';
import { decodeJson, items, known, member, textOf } from '../json/decode.ts';
import { DSSE_ENVELOPE, IN_TOTO, SIMPLE_SIGNING } from '../media-types.ts';
import type { RawManifest } from '../registry/registry.ts';
import { type Envelope, envelopeSigner, parseBundle, parseEnvelope } from '../signature/dsse.ts';
import {
  type CertificateIdentity,
  type CertificateSigner,
  certificateSigner,
  materialOf,
} from '../signature/keyless.ts';
import { type MessageHash, messageDigest, type SignedByCertificate } from '../signature/keyless-root.ts';
import { decodeBase64, signerOf, type VerificationKey } from '../signature/keys.ts';
import { type Provenance, readProvenance } from './provenance.ts';

export const SIGSTORE_BUNDLE: RegExp = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3)?\+json/;

export function isSignedMediaType(mediaType: string): boolean {
  return mediaType === SIMPLE_SIGNING || mediaType === DSSE_ENVELOPE || SIGSTORE_BUNDLE.test(mediaType);
}

/** The key that signed, or the identity in the certificate that did. */
export type Signer = VerificationKey | CertificateSigner;

/** What a signed document says, once its signature was verified. */
export interface Claim {
  readonly signer: Signer;
  /** The digests that it is about. */
  readonly subjects: ReadonlySet<Digest>;
  /** Its predicate type; undefined for a simple signature. */
  readonly predicateType: string | undefined;
  readonly provenance: Provenance | undefined;
}

/** A layer of a signature manifest. */
export interface SignedLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** The value of {@link SIGNATURE_ANNOTATION}. */
  readonly signature: string | undefined;
  /** All of the layer's: a certificate may be among them. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * Verifies one signed document and reads what it says. The signature comes first: what nobody signed who may
 * is not parsed beyond its envelope. Any of the keys and of the identities may have. Throws `SIGNATURE_MISSING` where none
 * did, `ATTESTATION_INVALID`, and the codes of JSON.
 */
export async function readClaim(
  { mediaType, bytes, signature, annotations }: SignedLayer,
  image: RawManifest,
  keys: readonly VerificationKey[],
  identities: readonly CertificateIdentity[] = [],
): Promise<Claim> {
  const signers = { keys, identities };
  if (mediaType === SIMPLE_SIGNING) {
    const made = decodeBase64(signature ?? '') ?? new Uint8Array();
    const key = await signerOf(keys, bytes, made);
    const content = { message: bytes, algorithm: 'SHA2_256' } as const;
    const signer = key ?? byCertificate(identities, () => ({ ...materialOf(annotations), signature: made, content }));
    return { signer, subjects: new Set([signedDigest(bytes)]), predicateType: undefined, provenance: undefined };
  }
  if (mediaType === DSSE_ENVELOPE)
    return readEnvelopeClaim(parseEnvelope(bytes), signers, () => materialOf(annotations));
  const bundle = parseBundle(bytes);
  if ('envelope' in bundle) {
    const read = bundle.envelope.payloadType === SIMPLE_SIGNING ? readWrappedSignature : readEnvelopeClaim;
    return read(bundle.envelope, signers, () => bundle);
  }
  const content = { message: image.bytes, algorithm: messageHash(bundle.algorithm) };
  // Signed by nobody, so that nothing depends on it; but a bundle that contradicts itself is made by nobody who means well.
  if (bundle.digest !== undefined && !messageDigest(content).equals(bundle.digest)) {
    throw new DigestChainError('SIGNATURE_MISSING', 'the bundle says that it is about other bytes');
  }
  const key = await signerOf(keys, image.bytes, bundle.signature);
  const signer = key ?? byCertificate(identities, () => ({ ...bundle, content }));
  return { signer, subjects: new Set([image.digest]), predicateType: undefined, provenance: undefined };
}

interface Signers {
  readonly keys: readonly VerificationKey[];
  readonly identities: readonly CertificateIdentity[];
}

/** What a signature comes with, put together only where it is asked for. */
type Material = () => Pick<SignedByCertificate, 'mediaType' | 'material'>;

function byCertificate(identities: readonly CertificateIdentity[], signed: () => SignedByCertificate): Signer {
  if (identities.length > 0) return certificateSigner(identities, signed());
  throw new DigestChainError('SIGNATURE_MISSING', 'none of the keys made this signature');
}

function messageHash(algorithm: string | undefined): MessageHash {
  return algorithm === 'SHA2_384' || algorithm === 'SHA2_512' ? algorithm : 'SHA2_256';
}

/** What cosign writes into a bundle to sign an image: a statement that says nothing but which image. */
const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';

/** Whether a claim is a signature of an image, as opposed to a statement about it. */
export function isSignature(claim: Claim): boolean {
  return claim.predicateType === undefined || claim.predicateType === COSIGN_SIGN;
}

/**
 * The signature of an image as Chains wraps it with its encoding `sigstore-bundle` (tektoncd/chains,
 * pkg/chains/storage/oci/simple.go, makeSigBundleBytes): an envelope in form alone, of which the signature was made over
 * the payload itself. A later Chains, or cosign, may sign as DSSE says. The payload can't be taken for anything else,
 * either way: what is signed as DSSE says begins with its name and is no JSON.
 */
async function readWrappedSignature(envelope: Envelope, signers: Signers, material: Material): Promise<Claim> {
  const { payload, signatures } = envelope;
  const signer =
    (await signerOf(signers.keys, payload, ...signatures)) ?? (await signerOfEnvelope(envelope, signers, material));
  return { signer, subjects: new Set([signedDigest(payload)]), predicateType: undefined, provenance: undefined };
}

async function readEnvelopeClaim(envelope: Envelope, signers: Signers, material: Material): Promise<Claim> {
  const signer = await signerOfEnvelope(envelope, signers, material);
  if (envelope.payloadType !== IN_TOTO) {
    throw new DigestChainError('ATTESTATION_INVALID', 'the envelope holds no in-toto statement', {
      expected: IN_TOTO,
      found: envelope.payloadType.slice(0, 160),
    });
  }
  const { predicateType, subjects, predicate } = parseInTotoStatement(envelope.payload);
  return { signer, subjects, predicateType, provenance: readProvenance(predicateType, predicate) };
}

async function signerOfEnvelope(
  envelope: Envelope,
  { keys, identities }: Signers,
  material: Material,
): Promise<Signer> {
  const key = await envelopeSigner(envelope, keys);
  if (key !== undefined) return key;
  return byCertificate(identities, () => {
    const [signature = new Uint8Array(), ...others] = envelope.signatures;
    if (others.length === 0) return { ...material(), signature, content: envelope };
    throw new DigestChainError('SIGNATURE_MISSING', 'which of several signatures the certificate made is not told');
  });
}

/**
 * The digest of the image that a simple signing payload is about (containers/image, containers-signature(5), "JSON data
 * format", with cosign's type). Throws `ATTESTATION_INVALID`, and the codes of JSON.
 */
function signedDigest(payload: Uint8Array): Digest {
  const document = decodeJson(payload);
  const type = textOf(known(document, 'critical', 'type'));
  if (type !== COSIGN_TYPE) throw noSignature(COSIGN_TYPE, type ?? 'no type');
  const digest = textOf(known(document, 'critical', 'image', 'docker-manifest-digest'));
  if (digest === undefined || !isDigest(digest)) throw noSignature('a docker-manifest-digest', digest ?? 'none');
  return digest;
}

// Other things are signed with the same keys: only a payload that says what it is can be a signature of an image.
const COSIGN_TYPE = 'cosign container image signature';

const noSignature = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not a signature of a container image', expected, found);

/** An in-toto statement, v0.1 or v1 (in-toto/attestation, spec/v1/statement.md). */
interface InTotoStatement {
  readonly predicateType: string;
  /** The digests of everything that the statement is about. */
  readonly subjects: ReadonlySet<Digest>;
  readonly predicate: unknown;
}

/** More subjects are refused. */
const MAX_SUBJECTS = 10_000;

const TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];

/** Reads a statement; throws `ATTESTATION_INVALID`, and the codes of JSON. */
function parseInTotoStatement(payload: Uint8Array): InTotoStatement {
  const document = decodeJson(payload);
  const type = textOf(known(document, '_type')) ?? 'none';
  if (!TYPES.includes(type)) throw noStatement(TYPES.join(' or '), type);
  const predicateType = textOf(known(document, 'predicateType'));
  if (predicateType === undefined) throw noStatement('a predicateType', 'none');
  const subject = items(known(document, 'subject'));
  if (subject.length > MAX_SUBJECTS) throw noStatement(`up to ${MAX_SUBJECTS} subjects`, `${subject.length}`);
  return { predicateType, subjects: new Set(subject.flatMap(digestsOf)), predicate: known(document, 'predicate') };
}

function digestsOf(subject: unknown): Digest[] {
  return ['sha256', 'sha512']
    .map((algorithm) => `${algorithm}:${textOf(member(known(subject, 'digest'), algorithm))}`)
    .filter(isDigest);
}

const noStatement = (expected: string, found: string): DigestChainError =>
  unexpected('ATTESTATION_INVALID', 'not an in-toto statement', expected, found);
