import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import { HashAlgorithm, PublicKeyDetails, TrustedRoot as Root } from '@sigstore/protobuf-specs';
import { preAuthenticationEncoding } from './signer.ts';

/** Of what a certificate is made, and what is left out or spoiled of a signature. */
export interface KeylessOptions {
  subject?: string;
  issuer?: string;
  /** Without an entry in the certificate log. */
  noSct?: boolean;
  noLogEntry?: boolean;
  /** An RFC 3161 timestamp beside the log entry. */
  timestamp?: boolean;
}

/** What one signature came with. */
export interface KeylessSignature {
  readonly signature: Buffer;
  readonly certificate: Buffer;
  readonly entry: LogEntry | undefined;
  readonly timestamp: Buffer | undefined;
}

/** An entry as Rekor answers with it. */
export interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly treeSize: number;
      readonly rootHash: string;
      readonly hashes: readonly string[];
      readonly checkpoint: string;
    };
  };
}

export interface KeylessInstance {
  /** `trusted_root.json` */
  readonly trustedRoot: string;
  /** Signs bytes; the log has a `hashedrekord` of it. */
  sign(message: Uint8Array, options?: KeylessOptions): Promise<KeylessSignature>;
  /** Signs a DSSE envelope; the log has a `dsse` entry of it. */
  signEnvelope(payloadType: string, payload: Uint8Array, options?: KeylessOptions): Promise<KeylessSignature>;
}

export const SUBJECT = 'https://github.com/org/repo/.github/workflows/build.yaml@refs/heads/main';
export const ISSUER = 'https://token.actions.githubusercontent.com';

const REKOR = 'https://rekor.sigstore.mock';

/**
 * A Sigstore instance in this process: a certificate authority, a certificate log, a transparency log, a timestamp
 * authority, each with keys of its own. The log's clock may be another than the authority's.
 */
export async function startKeylessInstance(
  clocks: { issued?: Date; logged?: Date } = { issued: wholeSecond(), logged: wholeSecond() },
): Promise<KeylessInstance> {
  const pairs = { ca: pair('P-384'), ct: pair(), log: pair(), tsa: pair('P-384') };
  const ct = await initializeCTLog(pairs.ct, clocks.issued);
  const ca = await initializeCA(pairs.ca, ct, clocks.issued);
  const withoutSct = await initializeCA(pairs.ca, undefined, clocks.issued);
  const log = await initializeTLog(REKOR, pairs.log, clocks.logged);
  const tsa = await initializeTSA(pairs.tsa, clocks.logged);
  const logKey = (rawBytes: Buffer) => ({
    rawBytes,
    keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
    validFor: { start: new Date(0), end: undefined },
  });
  const authority = (uri: string, ...chain: ArrayBufferView[]) => ({
    uri,
    operator: '',
    subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
    certChain: { certificates: chain.map((der) => ({ rawBytes: bytesOf(der) })) },
    validFor: { start: new Date(0), end: undefined },
  });
  const logInstance = (baseUrl: string, key: Buffer) => ({
    baseUrl,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    publicKey: logKey(key),
    logId: { keyId: sha256(key) },
    checkpointKeyId: undefined,
    operator: '',
  });
  const trustedRoot = Root.toJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [authority('https://fulcio.sigstore.mock', ca.rootCertificate)],
    ctlogs: [logInstance('https://ctfe.sigstore.mock', bytesOf(ct.publicKey))],
    tlogs: [logInstance(REKOR, bytesOf(log.publicKey))],
    timestampAuthorities: [authority('https://tsa.sigstore.mock', tsa.intCertificate, tsa.rootCertificate)],
  });

  async function make(
    message: Uint8Array,
    proposed: (signature: Buffer, certificate: string) => object,
    { subject = SUBJECT, issuer = ISSUER, noSct, noLogEntry, timestamp }: KeylessOptions,
  ): Promise<KeylessSignature> {
    const { publicKey, privateKey } = pair();
    const certificate = bytesOf(
      await (noSct ? withoutSct : ca).issueCertificate({
        publicKey: publicKey.export({ type: 'spki', format: 'der' }) as Buffer<ArrayBuffer>,
        subjectAltName: subject,
        extensions: [
          { oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true },
          { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
        ],
      }),
    );
    const signature = sign('sha256', message, privateKey);
    const pem = Buffer.from(pemOf(certificate)).toString('base64');
    const entry = noLogEntry ? undefined : Object.values(await log.log(proposed(signature, pem)))[0];
    const stamped = timestamp
      ? bytesOf(
          await tsa.timestamp({
            artifactHash: sha256(signature),
            hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
            policyOID: '1.3.6.1.4.1.57264.2',
            nonce: 1,
            certReq: true,
          }),
        )
      : undefined;
    return { signature, certificate, entry: entry as LogEntry | undefined, timestamp: stamped };
  }

  return {
    trustedRoot: JSON.stringify(trustedRoot),
    sign: (message, options = {}) =>
      make(
        message,
        (signature, content) => ({
          apiVersion: '0.0.1',
          kind: 'hashedrekord',
          spec: {
            data: { hash: { algorithm: 'sha256', value: sha256(message).toString('hex') } },
            signature: { content: signature.toString('base64'), publicKey: { content } },
          },
        }),
        options,
      ),
    signEnvelope: (payloadType, payload, options = {}) =>
      make(
        preAuthenticationEncoding(payloadType, payload),
        (signature, verifier) => ({
          apiVersion: '0.0.1',
          kind: 'dsse',
          spec: {
            // Of the envelope's own bytes, which nobody keeps.
            envelopeHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
            payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
            signatures: [{ signature: signature.toString('base64'), verifier }],
          },
        }),
        options,
      ),
  };
}

/** What cosign 1 and 2 write beside a signature at a tag. */
export function annotationsOf({ signature, certificate, entry, timestamp }: KeylessSignature): Record<string, string> {
  return {
    'dev.cosignproject.cosign/signature': signature.toString('base64'),
    'dev.sigstore.cosign/certificate': pemOf(certificate),
    ...(entry && {
      'dev.sigstore.cosign/bundle': JSON.stringify({
        SignedEntryTimestamp: entry.verification.signedEntryTimestamp,
        Payload: {
          body: entry.body,
          integratedTime: entry.integratedTime,
          logIndex: entry.logIndex,
          logID: entry.logID,
        },
      }),
    }),
    ...(timestamp && {
      'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: timestamp.toString('base64') }),
    }),
  };
}

export type BundleVersion = '0.1' | '0.2' | '0.3';

/** A sigstore bundle around a signature. */
export function bundleOf(
  { signature, certificate, entry, timestamp }: KeylessSignature,
  content: { payloadType: string; payload: Uint8Array } | { message: Uint8Array },
  version: BundleVersion = '0.3',
): Record<string, unknown> {
  const rawBytes = certificate.toString('base64');
  const sig = signature.toString('base64');
  return {
    mediaType:
      version === '0.3'
        ? 'application/vnd.dev.sigstore.bundle.v0.3+json'
        : `application/vnd.dev.sigstore.bundle+json;version=${version}`,
    verificationMaterial: {
      ...(version === '0.3'
        ? { certificate: { rawBytes } }
        : { x509CertificateChain: { certificates: [{ rawBytes }] } }),
      tlogEntries: entry === undefined ? [] : [bundledEntry(entry, version)],
      timestampVerificationData: {
        rfc3161Timestamps: timestamp === undefined ? [] : [{ signedTimestamp: timestamp.toString('base64') }],
      },
    },
    ...('payload' in content
      ? {
          dsseEnvelope: {
            payloadType: content.payloadType,
            payload: Buffer.from(content.payload).toString('base64'),
            signatures: [{ sig, keyid: '' }],
          },
        }
      : {
          messageSignature: {
            messageDigest: { algorithm: 'SHA2_256', digest: sha256(content.message).toString('base64') },
            signature: sig,
          },
        }),
  };
}

function bundledEntry(
  { body, integratedTime, logID, logIndex, verification }: LogEntry,
  version: BundleVersion,
): object {
  const { inclusionProof: proof, signedEntryTimestamp } = verification;
  const { kind, apiVersion } = JSON.parse(Buffer.from(body, 'base64').toString());
  const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
  return {
    logIndex: String(logIndex),
    logId: { keyId: base64(logID) },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    ...(version !== '0.1' && {
      inclusionProof: {
        logIndex: String(proof.logIndex),
        treeSize: String(proof.treeSize),
        rootHash: base64(proof.rootHash),
        hashes: proof.hashes.map(base64),
        checkpoint: { envelope: proof.checkpoint },
      },
    }),
    canonicalizedBody: body,
  };
}

/** A time that certificates and timestamps can tell, in so many minutes; the authorities' own certificates begin now. */
export function wholeSecond(minutes = 0): Date {
  return new Date(Math.ceil(Date.now() / 1000) * 1000 + minutes * 60_000);
}

function pair(namedCurve = 'P-256'): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve });
}

const bytesOf = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
