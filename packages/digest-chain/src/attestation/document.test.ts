import { createHash } from 'node:crypto';
import { ONES, ZERO } from '@multi-image/testing/image';
import { createSigner, envelope, simpleSigning } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { DSSE_ENVELOPE, SIMPLE_SIGNING } from '../media-types.ts';
import { preAuthenticationEncoding } from '../signature/pre-authentication.ts';
import { type Claim, isSignature, readClaim, type SignedLayer } from './document.ts';

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
    expect(claim).toMatchObject({ subjects: new Set([ONES]), signer: signer.keys[0] });
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

  it.each([
    ['over the payload alone, as Chains makes it', (payload: Uint8Array) => payload],
    ['as DSSE says', (payload: Uint8Array) => preAuthenticationEncoding(SIMPLE_SIGNING, payload)],
  ])('holds a simple signature in an envelope, made %s', async (_, encode) => {
    const wrapped = (payload: Uint8Array, by = signer, payloadType = SIMPLE_SIGNING) => {
      const signatures = [{ sig: base64(by.sign(encode(payload))) }];
      return {
        mediaType: BUNDLE,
        bytes: bundle({ dsseEnvelope: { payload: base64(payload), payloadType, signatures } }),
      };
    };
    const claim = await read(wrapped(simpleSigning(ONES)));
    expect(claim).toMatchObject({ subjects: new Set([ONES]), provenance: undefined });
    expect(isSignature(claim as Claim)).toBe(true);
    expect(await read(wrapped(simpleSigning(ONES), createSigner()))).toBe('SIGNATURE_MISSING');
    expect(await read(wrapped(simpleSigning(ONES, 'another type')))).toBe('ATTESTATION_INVALID');
    expect(await read({ ...wrapped(simpleSigning(ONES)), mediaType: DSSE_ENVELOPE })).not.toBeTypeOf('object');
  });

  it.each([
    ['a statement', 'application/vnd.in-toto+json', statement([subjectOf(ONES)])],
    [
      'a simple signature under another type',
      'application/vnd.in-toto+json',
      JSON.parse(simpleSigning(ONES).toString()),
    ],
  ])('takes a signature over the payload alone for nothing else: %s', async (_, payloadType, content) => {
    const payload = Buffer.from(JSON.stringify(content));
    const signatures = [{ sig: base64(signer.sign(payload)) }];
    const raw = { payload: base64(payload), payloadType, signatures };
    expect(await read({ mediaType: BUNDLE, bytes: bundle({ dsseEnvelope: raw }) })).toBe('SIGNATURE_MISSING');
    const bare = Buffer.from(JSON.stringify({ ...raw, payloadType: SIMPLE_SIGNING }));
    expect(await read({ bytes: bare })).not.toBeTypeOf('object');
  });

  it("holds a signature over the image's own manifest", async () => {
    expect(await read({ mediaType: BUNDLE, bytes: bundle({ messageSignature }) })).toMatchObject({
      subjects: new Set([image.digest]),
    });
    const messageDigest = (bytes: string) => ({
      algorithm: 'SHA2_256',
      digest: base64(createHash('sha256').update(bytes).digest()),
    });
    const declared = (bytes: string) =>
      bundle({ messageSignature: { ...messageSignature, messageDigest: messageDigest(bytes) } });
    expect(await read({ mediaType: BUNDLE, bytes: declared(bytes.toString()) })).toHaveProperty('signer');
    expect(await read({ mediaType: BUNDLE, bytes: declared('{}') })).toBe('SIGNATURE_MISSING');
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

/** The same document with another member beside one of its own, whose key differs from it only by case. */
function withTwin(content: Uint8Array, key: string, twin: string): Uint8Array {
  const text = Buffer.from(content).toString();
  const at = text.indexOf(`"${key}":`);
  if (at === -1) throw new Error(`no ${key}`);
  return Buffer.from(`${text.slice(0, at)}"${twin}":null,${text.slice(at)}`);
}

describe('a key that differs from a member’s only by case', () => {
  const subject = [subjectOf(ONES)];
  const raw = Buffer.from(JSON.stringify(statement(subject)));
  const signed = (payload: Uint8Array, payloadType = 'application/vnd.in-toto+json'): Uint8Array => {
    const sig = base64(signer.sign(preAuthenticationEncoding(payloadType, payload)));
    return Buffer.from(JSON.stringify({ payloadType, payload: base64(payload), signatures: [{ sig }] }));
  };

  it.each([
    ['Subject', 'subject'],
    ['PREDICATE', 'predicate'],
    ['predicatetype', 'predicateType'],
    ['\u017fubject', 'subject'],
    ['_Type', '_type'],
    ['Digest', 'digest'],
  ])('is refused in a signed statement: %s beside %s', async (twin, key) => {
    expect(await read({ bytes: signed(raw) })).toBeTypeOf('object');
    expect(await read({ bytes: signed(withTwin(raw, key, twin)) })).toBe('JSON_DUPLICATE_KEY');
  });

  it.each(['payload', 'payloadType', 'signatures', 'sig'])('is refused in an envelope: %s', async (key) => {
    expect(await read({ bytes: withTwin(signed(raw), key, key.toUpperCase()) })).toBe('JSON_DUPLICATE_KEY');
  });

  it.each(['mediaType', 'dsseEnvelope', 'payload'])('is refused in a bundle: %s', async (key) => {
    const dsseEnvelope = JSON.parse(Buffer.from(signed(raw)).toString());
    const twin = withTwin(bundle({ dsseEnvelope }), key, key.toUpperCase());
    expect(await read({ mediaType: BUNDLE, bytes: twin })).toBe('JSON_DUPLICATE_KEY');
  });

  it('is refused in a simple signature', async () => {
    const twin = withTwin(simpleSigning(ONES), 'docker-manifest-digest', 'Docker-Manifest-Digest');
    expect(await read({ mediaType: SIMPLE_SIGNING, bytes: twin, signature: base64(signer.sign(twin)) })).toBe(
      'JSON_DUPLICATE_KEY',
    );
  });

  it('is somebody’s own in a map', async () => {
    const labels = { a: '1', A: '2' };
    const predicate = {
      buildType: 'tekton.dev/v1/PipelineRun',
      invocation: { environment: { labels }, parameters: labels },
    };
    const own = statement(subject, { predicateType: 'https://slsa.dev/provenance/v0.2', predicate });
    expect(await read({ bytes: envelope(signer, own) })).toBeTypeOf('object');
  });
});

describe('sixteen megabytes of small values that nobody signed', () => {
  const zeros = `[${'0,'.repeat(8 * 1024 * 1024 - 200)}0]`;

  it.each([
    [
      'in an envelope',
      DSSE_ENVELOPE,
      `{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AAAA"}],"x":${zeros}}`,
    ],
    ['in a bundle', BUNDLE, `{"mediaType":"${BUNDLE}","dsseEnvelope":{},"x":${zeros}}`],
    ['as an envelope', DSSE_ENVELOPE, zeros],
  ])('are refused before they are kept: %s', async (_, mediaType, text) => {
    const content = Buffer.from(text);
    const before = process.memoryUsage().heapUsed;
    const started = process.threadCpuUsage();
    expect(await read({ mediaType, bytes: content })).toBe('JSON_INVALID');
    // Of a processor, so that it does not matter what else this machine does.
    expect(process.threadCpuUsage(started).user).toBeLessThan(1_000_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('are not parsed as a payload before its signature is checked', async () => {
    const payload = base64(Buffer.from(zeros.slice(-11 * 1024 * 1024)));
    const text = `{"payload":"${payload}","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA"}]}`;
    expect(await read({ bytes: Buffer.from(text) })).toBe('SIGNATURE_MISSING');
  });

  it('are refused in what was signed, too', async () => {
    expect(await read({ bytes: envelope(signer, statement([], { predicate: new Array(1_000_000).fill(0) })) })).toBe(
      'JSON_INVALID',
    );
  });
});
