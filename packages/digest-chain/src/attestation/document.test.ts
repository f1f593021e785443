import { ONES, ZERO } from '@multi-image/testing/image';
import { createSigner, envelope, simpleSigning } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { DSSE_ENVELOPE, SIMPLE_SIGNING } from '../media-types.ts';
import { type Claim, isSignature, readClaim, type SignedLayer } from './document.ts';
import { preAuthenticationEncoding } from './pre-authentication.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const signer = createSigner();
const bytes = Buffer.from('{"schemaVersion":2}');
const image = { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf(bytes) };

async function read(layer: Partial<SignedLayer> & { bytes: Uint8Array }): Promise<Claim | string> {
  try {
    return await readClaim({ mediaType: DSSE_ENVELOPE, signature: undefined, ...layer }, image, signer.keys);
  } catch (error) {
    if (error instanceof DigestChainError) return error.code;
    throw error;
  }
}

function statement(subject: unknown, extra: object = {}): object {
  return {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://example.com/predicate',
    subject,
    predicate: {},
    ...extra,
  };
}

const subjectOf = (digest: Digest) => ({ name: 'x', digest: { sha256: digest.slice('sha256:'.length) } });
const base64 = (content: Uint8Array) => Buffer.from(content).toString('base64');

function bundle(content: object, mediaType = BUNDLE): Uint8Array {
  return Buffer.from(JSON.stringify({ mediaType, verificationMaterial: { publicKey: { hint: '' } }, ...content }));
}

describe('a simple signature', () => {
  const payload = simpleSigning(ONES);
  const layer = { mediaType: SIMPLE_SIGNING, bytes: payload, signature: base64(signer.sign(payload)) };

  it('is about the image that its payload names', async () => {
    const claim = await read(layer);
    expect(claim).toMatchObject({ subjects: new Set([ONES]), key: signer.keys[0] });
    expect(isSignature(claim as Claim)).toBe(true);
  });

  it('counts only with the signature that the annotation holds', async () => {
    expect(await read({ ...layer, signature: undefined })).toBe('SIGNATURE_MISSING');
    expect(await read({ ...layer, signature: base64(createSigner().sign(payload)) })).toBe('SIGNATURE_MISSING');
    expect(await read({ ...layer, bytes: simpleSigning(ZERO) })).toBe('SIGNATURE_MISSING');
  });

  it.each([
    ['of another type', simpleSigning(ONES, 'atomic container signature'), 'ATTESTATION_INVALID'],
    ['that names no image', simpleSigning('sha256:x' as Digest), 'ATTESTATION_INVALID'],
    ['with a duplicate key', Buffer.from(`{"critical":{},${payload.toString().slice(1)}`), 'JSON_DUPLICATE_KEY'],
    ['that is no JSON', Buffer.from('x'), 'JSON_INVALID'],
  ])('is refused, though signed, with a payload %s', async (_, other, code) => {
    expect(await read({ ...layer, bytes: other, signature: base64(signer.sign(other)) })).toBe(code);
  });
});

describe('an envelope', () => {
  it('is about the subjects of its statement, v0.1 or v1', async () => {
    const v1 = statement([subjectOf(ONES), subjectOf(ZERO)], { _type: 'https://in-toto.io/Statement/v1' });
    expect(await read({ bytes: envelope(signer, v1) })).toMatchObject({ subjects: new Set([ONES, ZERO]) });
    const claim = await read({ bytes: envelope(signer, statement([subjectOf(ONES)])) });
    expect(claim).toMatchObject({ subjects: new Set([ONES]), predicateType: 'https://example.com/predicate' });
    expect(isSignature(claim as Claim)).toBe(false);
  });

  it('counts with one good signature among others', async () => {
    const document = JSON.parse(Buffer.from(envelope(signer, statement([]))).toString());
    const others = [{ sig: 'AAAA' }, { sig: '*' }];
    expect(
      await read({
        bytes: Buffer.from(JSON.stringify({ ...document, signatures: [...others, ...document.signatures] })),
      }),
    ).toBeTypeOf('object');
    expect(await read({ bytes: Buffer.from(JSON.stringify({ ...document, signatures: others })) })).toBe(
      'SIGNATURE_MISSING',
    );
  });

  it('is read up to the size of a document, whoever signed it', async () => {
    const packages = ['x'.repeat(8 * 1024 * 1024)];
    const large = statement([subjectOf(ONES)], { predicate: { packages } });
    expect(await read({ bytes: envelope(signer, large) })).toMatchObject({ subjects: new Set([ONES]) });
    expect(await read({ bytes: envelope(createSigner(), large) })).toBe('SIGNATURE_MISSING');
  });

  it.each([
    ['signed by another key', envelope(createSigner(), statement([])), 'SIGNATURE_MISSING'],
    ['of another payload type', envelope(signer, statement([]), 'text/plain'), 'ATTESTATION_INVALID'],
    ['without a predicate type', envelope(signer, statement([], { predicateType: 1 })), 'ATTESTATION_INVALID'],
    ['of another statement type', envelope(signer, statement([], { _type: 'x' })), 'ATTESTATION_INVALID'],
    [
      'with too many signatures',
      Buffer.from(`{"payload":"","payloadType":"","signatures":[${'{},'.repeat(4)}{}]}`),
      'ATTESTATION_INVALID',
    ],
    ['that is none', Buffer.from('{}'), 'ATTESTATION_INVALID'],
    ['with a duplicate key', Buffer.from('{"payload":"","payload":""}'), 'JSON_DUPLICATE_KEY'],
  ])('is refused %s', async (_, content, code) => {
    expect(await read({ bytes: content })).toBe(code);
  });

  it('can not be given another payload type', async () => {
    const text = Buffer.from(envelope(signer, statement([]), 'application/vnd.in-toto')).toString();
    expect(await read({ bytes: Buffer.from(text.replace('vnd.in-toto', 'vnd.in-toto+json')) })).toBe(
      'SIGNATURE_MISSING',
    );
  });

  it('encodes for signing as the specification shows', async () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });
});

describe('a bundle', () => {
  const dsseEnvelope = JSON.parse(
    Buffer.from(
      envelope(signer, statement([subjectOf(ONES)], { predicateType: 'https://sigstore.dev/cosign/sign/v1' })),
    ).toString(),
  );
  const messageSignature = { messageDigest: {}, signature: base64(signer.sign(bytes)) };

  it('holds an envelope', async () => {
    const claim = await read({ mediaType: BUNDLE, bytes: bundle({ dsseEnvelope }) });
    expect(claim).toMatchObject({ subjects: new Set([ONES]) });
    expect(isSignature(claim as Claim)).toBe(true);
  });

  it("holds a signature over the image's own manifest", async () => {
    expect(await read({ mediaType: BUNDLE, bytes: bundle({ messageSignature }) })).toMatchObject({
      subjects: new Set([image.digest]),
    });
    const other = { ...messageSignature, signature: base64(signer.sign(Buffer.from('{}'))) };
    expect(await read({ mediaType: BUNDLE, bytes: bundle({ messageSignature: other }) })).toBe('SIGNATURE_MISSING');
  });

  it.each([
    ['neither content', bundle({})],
    ['both contents', bundle({ dsseEnvelope, messageSignature })],
    ['another media type', bundle({ dsseEnvelope }, 'application/vnd.dev.sigstore.bundle.v9+json')],
    ['a malformed signature', bundle({ messageSignature: { signature: '*' } })],
  ])('is refused with %s', async (_, content) => {
    expect(await read({ mediaType: BUNDLE, bytes: content })).toBe('ATTESTATION_INVALID');
  });
});
