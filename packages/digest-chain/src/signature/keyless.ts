import { isCodedError, reasonOf } from '../../../kit/src/errors.ts';
import { DigestChainError } from '../errors.ts';
import { decodeJson, known, textOf } from '../json/decode.ts';
import type { CertificateSubject, SignedByCertificate, TrustedRoot } from './keyless-root.ts';
import { decodeBase64 } from './keys.ts';

/**
 * Who may have signed with a certificate in place of a key: Fulcio writes the signer's identity, as an OIDC issuer vouched
 * for it, into a certificate of minutes.
 */
export interface CertificateIdentity {
  /** The whole e-mail address or URI; or what must match in it, anywhere unless the pattern says otherwise. */
  readonly subject: string | RegExp;
  /** The whole address of the issuer; or a pattern, as for the subject. */
  readonly issuer: string | RegExp;
  readonly trustedRoot: TrustedRoot;
}

/** The signer of a document, by the certificate that came with it. */
export interface CertificateSigner extends CertificateSubject {
  readonly kind: 'certificate';
}

/**
 * The one of the identities that signed. Throws `SIGNATURE_MISSING`, with the reason: what comes with a signature is from
 * whoever pushed it, so that anything may be wrong with it.
 */
export function certificateSigner(
  identities: readonly CertificateIdentity[],
  signed: SignedByCertificate,
): CertificateSigner {
  if (JSON.stringify(signed.material ?? null).length > MAX_MATERIAL) {
    throw notSigned(`what the signature comes with is larger than ${MAX_MATERIAL} bytes`);
  }
  if (!hasCertificate(signed.material)) throw notSigned('the signature comes with no certificate');
  let reason = 'no identity was given';
  for (const { subject, issuer, trustedRoot } of identities) {
    try {
      const found = trustedRoot.verify(signed);
      if (matches(subject, found.subject) && matches(issuer, found.issuer)) return { kind: 'certificate', ...found };
      reason = `the certificate is ${nameOfSubject(found)}'s, who was not asked for`;
    } catch (error) {
      reason = `the certificate does not hold: ${describe(error)}`;
    }
  }
  throw notSigned(reason);
}

/** Bytes of JSON: a certificate and its chain, entries in logs and timestamps have some ten thousand. */
const MAX_MATERIAL = 256 * 1024;

export function nameOfSubject({ subject, issuer }: CertificateSubject): string {
  return `${subject || 'nobody'} (by ${issuer || 'no issuer'})`;
}

/** For a report: who was asked for. */
export function nameOfIdentity({ subject, issuer }: CertificateIdentity): string {
  return nameOfSubject({ subject: String(subject), issuer: String(issuer) });
}

/** A certificate without the name would match any pattern that matches nothing. */
function matches(wanted: string | RegExp, found: string): boolean {
  if (found === '') return false;
  // Not `test`, which remembers where it was in a pattern with the flag g.
  return typeof wanted === 'string' ? wanted === found : found.search(wanted) !== -1;
}

function hasCertificate(material: unknown): boolean {
  return known(material, 'certificate') !== undefined || known(material, 'x509CertificateChain') !== undefined;
}

function describe(error: unknown): string {
  const code = isCodedError(error) || (error instanceof Error && 'code' in error) ? `${String(error.code)}: ` : '';
  return `${code}${reasonOf(error)}`.slice(0, 300);
}

const notSigned = (reason: string): DigestChainError => new DigestChainError('SIGNATURE_MISSING', reason);

/** What cosign writes beside a signature at a tag `….sig` or `….att`, in place of a bundle (sigstore/cosign, pkg/oci/static). */
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const CHAIN = 'dev.sigstore.cosign/chain';
const LOG_ENTRY = 'dev.sigstore.cosign/bundle';
const TIMESTAMP = 'dev.sigstore.cosign/rfc3161timestamp';

/** The first version of a bundle, which holds just what those annotations do. */
const BUNDLE_V01 = 'application/vnd.dev.sigstore.bundle+json;version=0.1';

/** Annotations as the bundle's material that says the same; throws `ATTESTATION_INVALID`, and the codes of JSON. */
export function materialOf(
  annotations: Readonly<Record<string, string>> = {},
): Pick<SignedByCertificate, 'mediaType' | 'material'> {
  const certificates = [annotations[CERTIFICATE], annotations[CHAIN]].flatMap((pem) => certificatesOf(pem ?? ''));
  const entry = annotations[LOG_ENTRY];
  const timestamp = annotations[TIMESTAMP];
  return {
    mediaType: BUNDLE_V01,
    material: {
      x509CertificateChain: certificates.length === 0 ? undefined : { certificates },
      tlogEntries: entry === undefined ? [] : [logEntry(entry)],
      timestampVerificationData: {
        rfc3161Timestamps:
          timestamp === undefined
            ? []
            : [{ signedTimestamp: known(decodeJson(Buffer.from(timestamp), 16), 'SignedRFC3161Timestamp') }],
      },
    },
  };
}

const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

function certificatesOf(pem: string): { rawBytes: string }[] {
  return [...pem.matchAll(BLOCK)].map(([, text = '']) => ({ rawBytes: text.replace(/\s/g, '') }));
}

/** Rekor's answer, as cosign keeps it: the entry with the promise to include it, and no proof of inclusion. */
function logEntry(text: string): object {
  const document = decodeJson(Buffer.from(text), 16);
  const payload = known(document, 'Payload');
  const body = textOf(known(payload, 'body')) ?? '';
  const content = decodeJson(decodeBase64(body) ?? new Uint8Array());
  return {
    logIndex: String(known(payload, 'logIndex')),
    logId: { keyId: Buffer.from(textOf(known(payload, 'logID')) ?? '', 'hex').toString('base64') },
    kindVersion: { kind: known(content, 'kind'), version: known(content, 'apiVersion') },
    integratedTime: String(known(payload, 'integratedTime')),
    inclusionPromise: { signedEntryTimestamp: known(document, 'SignedEntryTimestamp') },
    canonicalizedBody: body,
  };
}
