import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { parsePublicKeys, type VerificationKey } from '@multi-image/digest-chain';
import {
  attachmentTag,
  type Digest,
  DSSE_ENVELOPE,
  digestOf,
  OCI_MANIFEST,
  parseReference,
  type Registry,
  type Repository,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
} from '@multi-image/digest-chain/oci';

/** A throwaway key that signs as cosign and Chains do. */
export interface Signer {
  readonly pem: string;
  readonly keys: readonly VerificationKey[];
  sign(message: Uint8Array): Uint8Array;
}

export function createSigner(kind: 'P-256' | 'P-384' | 'RSA' | 'Ed25519' = 'P-256'): Signer {
  const { publicKey, privateKey } = pair(kind);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const hash = kind === 'Ed25519' ? null : kind === 'P-384' ? 'sha384' : 'sha256';
  return { pem, keys: parsePublicKeys(pem), sign: (message) => sign(hash, message, privateKey) };
}

/** A DSSE envelope around a statement. */
export function envelope(signer: Signer, statement: unknown, payloadType = 'application/vnd.in-toto+json'): Uint8Array {
  const payload = Buffer.from(JSON.stringify(statement));
  const sig = Buffer.from(signer.sign(preAuthenticationEncoding(payloadType, payload))).toString('base64');
  const document = { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: '', sig }] };
  return Buffer.from(JSON.stringify(document));
}

/** What is signed (DSSE protocol.md, "Signature Definition"), written down once more for the tests. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** The payload of a simple signature. */
export function simpleSigning(digest: Digest, type = 'cosign container image signature'): Uint8Array {
  const critical = { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': digest }, type };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

/** Pushes signed documents under one of cosign's tags, such as `sha256-<hex>.sig`. */
export async function pushSigned(
  registry: Registry,
  repository: Repository,
  tag: string,
  documents: readonly { mediaType: string; bytes: Uint8Array; annotations?: Record<string, string> }[],
): Promise<void> {
  const config = Buffer.from('{}');
  await registry.putBlob(repository, config);
  const layers = [];
  for (const { mediaType, bytes, annotations = {} } of documents) {
    layers.push({ mediaType, ...(await registry.putBlob(repository, bytes)), annotations });
  }
  const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: 2 };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(repository, tag, { bytes, mediaType: OCI_MANIFEST });
}

/** Pushes a signature of an image, in place of those that were there. */
export async function signImage(
  registry: Registry,
  image: string,
  digest: Digest,
  by: Signer,
  payload: Uint8Array = simpleSigning(digest),
): Promise<void> {
  const annotations = { [SIGNATURE_ANNOTATION]: Buffer.from(by.sign(payload)).toString('base64') };
  const document = { mediaType: SIMPLE_SIGNING, bytes: payload, annotations };
  await pushSigned(registry, parseReference(image), attachmentTag(digest, 'sig'), [document]);
}

/** Pushes signed statements about an image, in place of those that were there. */
export async function attestImage(
  registry: Registry,
  image: string,
  digest: Digest,
  by: Signer,
  statements: readonly object[],
): Promise<void> {
  // Cosign reads only layers with this annotation; in an attestation it is empty.
  const annotations = { [SIGNATURE_ANNOTATION]: '' };
  const documents = statements.map((one) => ({ mediaType: DSSE_ENVELOPE, bytes: envelope(by, one), annotations }));
  await pushSigned(registry, parseReference(image), attachmentTag(digest, 'att'), documents);
}

function pair(kind: 'P-256' | 'P-384' | 'RSA' | 'Ed25519'): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'Ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: kind });
}
