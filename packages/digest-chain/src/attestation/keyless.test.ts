import { configOf, imageOf, ONES } from '@multi-image/testing/image';
import {
  annotationsOf,
  type BundleVersion,
  bundleOf,
  ISSUER,
  type KeylessInstance,
  type KeylessOptions,
  type KeylessSignature,
  SUBJECT,
  startKeylessInstance,
  wholeSecond,
} from '@multi-image/testing/keyless-signer';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { createSigner, simpleSigning } from '@multi-image/testing/signer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { DSSE_ENVELOPE, IN_TOTO, SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../media-types.ts';
import type { CertificateIdentity } from '../signature/keyless.ts';
import { parseTrustedRoot, type TrustedRoot } from '../signature/keyless-root.ts';
import { type Claim, isSignature, readClaim, type SignedLayer } from './document.ts';

const { manifest: image } = imageOf(configOf());
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

let instance: KeylessInstance;
let trustedRoot: TrustedRoot;

beforeAll(async () => {
  instance = await startKeylessInstance();
  trustedRoot = await parseTrustedRoot(instance.trustedRoot);
});

const identityOf = (others: Partial<CertificateIdentity> = {}): CertificateIdentity => ({
  subject: SUBJECT,
  issuer: ISSUER,
  trustedRoot,
  ...others,
});

const read = (layer: SignedLayer, ...identities: readonly CertificateIdentity[]): Promise<Claim> =>
  readClaim(layer, image, [], identities.length > 0 ? identities : [identityOf()]);

const statementOf = (digest: Digest): Uint8Array => Buffer.from(JSON.stringify(provenanceV02([digest], [])));

/** A layer of each kind, all about the same image, and what it came with. */
type Spoil = (made: KeylessSignature) => KeylessSignature;
type Make = (options: KeylessOptions, spoil: Spoil, by: KeylessInstance) => Promise<SignedLayer>;

const KINDS = {
  'a signature with annotations': (options, spoil, by) => simple(image.digest, options, spoil, by),
  'an attestation with annotations': async (options, spoil, by) => {
    const payload = statementOf(image.digest);
    const made = spoil(await by.signEnvelope(IN_TOTO, payload, options));
    const { dsseEnvelope } = bundleOf(made, { payloadType: IN_TOTO, payload });
    const annotations = { ...annotationsOf(made), [SIGNATURE_ANNOTATION]: '' };
    return { mediaType: DSSE_ENVELOPE, bytes: json(dsseEnvelope), signature: '', annotations };
  },
  'an attestation in a bundle v0.1': (options, spoil, by) => attestation(options, spoil, by, '0.1'),
  'an attestation in a bundle v0.2': (options, spoil, by) => attestation(options, spoil, by, '0.2'),
  'an attestation in a bundle v0.3': (options, spoil, by) => attestation(options, spoil, by, '0.3'),
  'a signature of the manifest in a bundle': async (options, spoil, by) => {
    const made = spoil(await by.sign(image.bytes, options));
    return { mediaType: BUNDLE, bytes: json(bundleOf(made, { message: image.bytes })), signature: undefined };
  },
} as const satisfies Record<string, Make>;

type Kind = keyof typeof KINDS;
const ALL = Object.keys(KINDS) as Kind[];

const layerOf = (
  kind: Kind,
  options: KeylessOptions = {},
  spoil: Spoil = (made) => made,
  by = instance,
): Promise<SignedLayer> => KINDS[kind](options, spoil, by);

async function simple(digest: Digest, options: KeylessOptions, spoil: Spoil, by: KeylessInstance) {
  const bytes = simpleSigning(digest);
  const annotations = annotationsOf(spoil(await by.sign(bytes, options)));
  return { mediaType: SIMPLE_SIGNING, bytes, signature: annotations[SIGNATURE_ANNOTATION], annotations };
}

async function attestation(options: KeylessOptions, spoil: Spoil, by: KeylessInstance, version: BundleVersion) {
  const payload = statementOf(image.digest);
  const made = spoil(await by.signEnvelope(IN_TOTO, payload, options));
  const bytes = json(bundleOf(made, { payloadType: IN_TOTO, payload }, version));
  return { mediaType: BUNDLE, bytes, signature: undefined };
}

const json = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));

describe.each(ALL)('%s', (kind) => {
  it('is of whom its certificate names', async () => {
    const claim = await read(await layerOf(kind));
    expect(claim.subjects).toEqual(new Set([image.digest]));
    expect(claim.signer).toEqual({ kind: 'certificate', subject: SUBJECT, issuer: ISSUER });
    expect(isSignature(claim)).toBe(kind.startsWith('a signature'));
  });

  it('is of whom its certificate names where a timestamp says when, too', async () => {
    expect((await read(await layerOf(kind, { timestamp: true }))).signer.kind).toBe('certificate');
  });

  it.each<[string, KeylessOptions, RegExp]>([
    ['another subject', { subject: 'https://github.com/evil/repo' }, /evil\/repo .*was not asked for/],
    ['another issuer', { issuer: 'https://evil.example' }, /evil\.example.*was not asked for/],
    ['no entry in a certificate log', { noSct: true }, /expected 1 SCTs, got 0/],
    ['no entry in a transparency log', { noLogEntry: true, timestamp: true }, /expected 1 tlog entries, got 0/],
    ['no time at all', { noLogEntry: true }, /expected 1 timestamps, got 0/],
  ])('does not count with %s', async (_, options, message) => {
    await expect(read(await layerOf(kind, options))).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(message),
    });
  });

  it('does not count with a log entry of another artifact', async () => {
    const other = await instance.sign(Buffer.from('another'));
    const layer = await layerOf(kind, {}, (made) => ({ ...made, entry: other.entry }));
    await expect(read(layer)).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(/TLOG_BODY_ERROR/),
    });
  });

  it('does not count with a tampered promise to include it', async () => {
    const layer = await layerOf(kind, {}, (made) =>
      withEntry(made, (verification) => ({
        ...verification,
        signedEntryTimestamp: flipped(verification.signedEntryTimestamp),
      })),
    );
    await expect(read(layer)).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(/TLOG_INCLUSION_PROMISE_ERROR/),
    });
  });

  it('does not count with a time that the log did not sign', async () => {
    const layer = await layerOf(kind, {}, (made) => ({
      ...made,
      entry: made.entry && { ...made.entry, integratedTime: made.entry.integratedTime - 1 },
    }));
    await expect(read(layer)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });

  it('does not count with a timestamp of another signature', async () => {
    const other = await instance.sign(Buffer.from('another'), { timestamp: true });
    const layer = await layerOf(kind, {}, (made) => ({ ...made, timestamp: other.timestamp }));
    await expect(read(layer)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });

  it('does not count with a certificate of another signature', async () => {
    const other = await instance.sign(Buffer.from('another'));
    const layer = await layerOf(kind, {}, (made) => ({ ...made, certificate: other.certificate }));
    await expect(read(layer)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });

  it.each([
    [0, true],
    [9, true],
    [11, false],
    [-1, false],
  ])('whose certificate is of ten minutes, logged after %d, counts: %s', async (minutes, expected) => {
    const issued = wholeSecond(10);
    const by = await startKeylessInstance({ issued, logged: new Date(issued.getTime() + minutes * 60_000) });
    const layer = await layerOf(kind, { timestamp: minutes === 9 }, (made) => made, by);
    const result = read(layer, identityOf({ trustedRoot: await parseTrustedRoot(by.trustedRoot) }));
    if (expected) return expect((await result).signer.kind).toBe('certificate');
    await expect(result).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(/CERTIFICATE_ERROR/),
    });
  });

  it('does not count by another trusted root', async () => {
    const other = await parseTrustedRoot((await startKeylessInstance()).trustedRoot);
    await expect(read(await layerOf(kind), identityOf({ trustedRoot: other }))).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(/CERTIFICATE_ERROR/),
    });
  });

  it('counts where one of several identities signed', async () => {
    const layer = await layerOf(kind);
    const other = identityOf({ subject: 'https://github.com/other' });
    expect((await read(layer, other, identityOf())).signer.kind).toBe('certificate');
    await expect(read(layer, other)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });
});

describe.each(['0.2', '0.3'] as const)('a proof of inclusion in a bundle v%s', (version) => {
  type Proof = NonNullable<KeylessSignature['entry']>['verification']['inclusionProof'];

  it.each<[string, (proof: Proof, other: Proof) => Partial<Proof>]>([
    ['to another root', (_, { checkpoint }) => ({ checkpoint })],
    ['by another way', () => ({ hashes: ['00'.repeat(32)] })],
    ['without its checkpoint', () => ({ checkpoint: '' })],
    [
      'with a checkpoint that the log did not sign',
      ({ checkpoint }) => ({ checkpoint: checkpoint.replace('- ', '- 1') }),
    ],
  ])('does not count %s', async (_, change) => {
    const other = await instance.sign(Buffer.from('another'));
    const spoil: Spoil = (made) =>
      withEntry(made, ({ inclusionProof, ...verification }) => {
        const found = other.entry?.verification.inclusionProof ?? inclusionProof;
        return { ...verification, inclusionProof: { ...inclusionProof, ...change(inclusionProof, found) } };
      });
    await expect(read(await attestation({}, spoil, instance, version))).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringMatching(/TLOG_INCLUSION_PROOF_ERROR|checkpoint/),
    });
  });
});

describe('an identity', () => {
  it.each<[string, Partial<CertificateIdentity>, boolean]>([
    ['a pattern that matches a part', { subject: /org\/repo/u }, true],
    ['a pattern of the whole', { subject: /^https:\/\/github\.com\/org\/repo\/.*@refs\/heads\/main$/u }, true],
    ['a pattern of another beginning', { subject: /^org\/repo/u }, false],
    ['a pattern that remembers where it was', { subject: /org\/repo/g }, true],
    ['a pattern of the issuer', { issuer: /actions/u }, true],
    ['a pattern of another issuer', { issuer: /google/u }, false],
    ['a part as it is', { subject: 'https://github.com/org/repo' }, false],
    ['other capitals', { subject: SUBJECT.toUpperCase() }, false],
  ])('is matched as cosign does: %s', async (_, others, expected) => {
    const layer = await layerOf('a signature with annotations');
    for (const _again of [1, 2]) {
      const found = await read(layer, identityOf(others)).then(
        () => true,
        () => false,
      );
      expect(found).toBe(expected);
    }
  });
});

describe('keys and identities together', () => {
  const signer = createSigner();

  it('counts what either signed, and says which', async () => {
    const bytes = simpleSigning(image.digest);
    const signature = Buffer.from(signer.sign(bytes)).toString('base64');
    const byKey = { mediaType: SIMPLE_SIGNING, bytes, signature };
    const byCertificate = await layerOf('a signature with annotations');
    const both = (layer: SignedLayer) => readClaim(layer, image, signer.keys, [identityOf()]);
    expect((await both(byKey)).signer).toBe(signer.keys[0]);
    expect((await both(byCertificate)).signer.kind).toBe('certificate');
    await expect(readClaim(byCertificate, image, signer.keys)).rejects.toMatchObject({
      message: 'none of the keys made this signature',
    });
    await expect(read(byKey)).rejects.toMatchObject({ message: 'the signature comes with no certificate' });
  });
});

describe('what it comes with', () => {
  it('is not read beyond what it can be', async () => {
    const layer = await layerOf('a signature with annotations');
    const chain = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(300 * 1024)}\n-----END CERTIFICATE-----\n`;
    const annotations = { ...layer.annotations, 'dev.sigstore.cosign/chain': chain };
    await expect(read({ ...layer, annotations })).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
      message: expect.stringContaining('larger than'),
    });
  });

  it.each([
    [
      'a certificate that is none',
      { 'dev.sigstore.cosign/certificate': '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----' },
    ],
    ['a log entry that is none', { 'dev.sigstore.cosign/bundle': '{}' }],
    ['a log entry that is no JSON', { 'dev.sigstore.cosign/bundle': '{' }],
    [
      'a log entry without its time',
      { 'dev.sigstore.cosign/bundle': '{"SignedEntryTimestamp":"","Payload":{"body":"e30="}}' },
    ],
    ['a timestamp that is none', { 'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp":"MAA="}' }],
  ])('may be %s: then it does not count', async (_, spoiled) => {
    const layer = await layerOf('a signature with annotations');
    await expect(read({ ...layer, annotations: { ...layer.annotations, ...spoiled } })).rejects.toMatchObject({
      code: expect.stringMatching(/^(SIGNATURE_MISSING|JSON_INVALID)$/),
    });
  });
});

it('is of the image that was signed, and of no other', async () => {
  const other = await simple(ONES, {}, (made) => made, instance);
  expect((await read(other)).subjects).toEqual(new Set([ONES]));
  // A bundle with the signature of a manifest does not name it: it is checked with the one that it is attached to.
  const bundle = await layerOf('a signature of the manifest in a bundle');
  const { manifest } = imageOf(configOf('{"User":"other"}'));
  await expect(readClaim(bundle, manifest, [], [identityOf()])).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
});

it.each([
  ['no JSON', '{'],
  ['another document', '{"mediaType":"application/json"}'],
  ['no authority', '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'],
  [
    'an authority without a certificate',
    '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","certificateAuthorities":[{}]}',
  ],
])('refuses a trusted root that is %s', async (_, text) => {
  await expect(parseTrustedRoot(text)).rejects.toMatchObject({ code: 'TRUSTED_ROOT_INVALID' });
});

it.each(['tlogs', 'ctlogs'])('refuses a trusted root whose %s have a key without a beginning', async (logs) => {
  const root = JSON.parse(instance.trustedRoot);
  delete root[logs][0].publicKey.validFor.start;
  await expect(parseTrustedRoot(JSON.stringify(root))).rejects.toMatchObject({ code: 'TRUSTED_ROOT_INVALID' });
});

function withEntry(
  made: KeylessSignature,
  change: (verification: NonNullable<KeylessSignature['entry']>['verification']) => typeof verification,
): KeylessSignature {
  return { ...made, entry: made.entry && { ...made.entry, verification: change(made.entry.verification) } };
}

/** The same base64 with another byte in it. */
function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  return bytes.toString('base64');
}
