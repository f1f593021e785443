import { configOf, imageOf, ONES, ZERO } from '@multi-image/testing/image';
import { annotationsOf, bundleOf, ISSUER, SUBJECT, startKeylessInstance } from '@multi-image/testing/keyless-signer';
import { provenanceV1, provenanceV02 } from '@multi-image/testing/provenance';
import { createSigner, envelope, simpleSigning } from '@multi-image/testing/signer';
import { beforeAll, describe, expect, it } from 'vitest';
import { readClaim } from './attestation/document.ts';
import { findEmbeddings } from './embedding.ts';
import { DigestChainError } from './errors.ts';
import { readImageFacts } from './image-facts.ts';
import { LabelNames } from './label-names.ts';
import {
  DSSE_ENVELOPE,
  IN_TOTO,
  OCI_INDEX,
  OCI_MANIFEST,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
} from './media-types.ts';
import { findInConfig } from './registry/credentials/files.ts';
import { readSeal, sealConfig, unsealConfig } from './seal/config.ts';
import { readIndex } from './seal/image-index.ts';
import { readImageManifest } from './seal/manifest.ts';
import { parseTrustedRoot } from './signature/keyless-root.ts';
import { parsePublicKeys } from './signature/keys.ts';
import { preAuthenticationEncoding } from './signature/pre-authentication.ts';
import { formatStatement, parseStatement } from './statement/statement.ts';

// Inputs as nobody wrote them: what readers can't read they refuse with a code, soon, and without taking the memory of the
// step that they run in. `pnpm test:slow` takes a hundred thousand of them.

const COUNT = Number(process.env.SLOW ?? 0) > 0 ? 100_000 : 3_000;
const MAX_MILLISECONDS = 100;
const MAX_BYTES = 64 * 1024 * 1024;

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const names = new LabelNames();
const signer = createSigner();
const { manifest } = imageOf(configOf('{}'));
const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const url = `quay.io/org/image1@${ONES}`;
const config = configOf(
  JSON.stringify({
    Env: [`IMAGE1_DIGEST=${ONES}`, `IMAGE1_URL=${url}`, 'PATH=/bin'],
    Labels: { [names.digestOf('primary')]: ONES, [names.urlOf('primary')]: url, 'vcs-ref': 'a'.repeat(40) },
  }),
);
const seal = { sealedFrom: ZERO, links: [{ role: 'metadata', url: 'quay.io/org/image2:1', digest: ONES }] };
const task = { name: 'build', params: { BUILD_ARGS: [`IMAGE1_DIGEST=${ONES}`] }, results: { IMAGE_DIGEST: ONES } };
const signedBy = (bytes: Uint8Array): Uint8Array => {
  const sig = base64(signer.sign(preAuthenticationEncoding(IN_TOTO, bytes)));
  return text({ payloadType: IN_TOTO, payload: base64(bytes), signatures: [{ sig }] });
};
const claim = (mediaType: string, bytes: Uint8Array, signature?: string) =>
  readClaim({ mediaType, bytes, signature }, manifest, signer.keys);
const dsseEnvelope = JSON.parse(Buffer.from(envelope(signer, provenanceV02([ONES], [task]))).toString());

const instance = await startKeylessInstance();
const identity = { subject: SUBJECT, issuer: ISSUER, trustedRoot: await parseTrustedRoot(instance.trustedRoot) };
const statement = text(provenanceV02([manifest.digest], [task]));
const keyless = {
  attestation: await instance.signEnvelope(IN_TOTO, statement, { timestamp: true }),
  signature: await instance.sign(manifest.bytes, { timestamp: true }),
  simple: await instance.sign(simpleSigning(manifest.digest), { timestamp: true }),
};
const annotations = annotationsOf(keyless.simple);

interface Kind {
  readonly seeds: readonly Uint8Array[];
  readonly read: (bytes: Uint8Array) => unknown;
}

/** Each reader of what comes from outside, with inputs that it reads. */
const KINDS: Readonly<Record<string, Kind>> = {
  manifests: {
    seeds: [manifest.bytes],
    read: (bytes) => readImageManifest(bytes, OCI_MANIFEST),
  },
  indexes: {
    seeds: [
      text({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [
          { mediaType: OCI_MANIFEST, digest: ONES, size: 7, platform: { os: 'linux', architecture: 'arm64' } },
        ],
      }),
    ],
    read: (bytes) => readIndex(bytes, OCI_INDEX),
  },
  configs: {
    seeds: [config, sealConfig(config, seal, names)],
    read(bytes) {
      const facts = readImageFacts(bytes);
      findEmbeddings({ manifest, images: [{ manifest, config: bytes, facts }] }, ONES, names);
      readSeal(bytes, names);
      unsealConfig(bytes, names);
      return sealConfig(bytes, seal, names);
    },
  },
  'chain statements': {
    seeds: [
      formatStatement({
        images: [
          { role: 'metadata', url: 'quay.io/org/image2:1', digest: ONES },
          { role: 'primary', url: 'quay.io/org/image1:1', digest: ZERO },
        ],
        embeds: [{ image: 'metadata', embedded: 'primary' }],
      }),
    ],
    read: parseStatement,
  },
  envelopes: {
    seeds: [text(dsseEnvelope)],
    read: (bytes) => claim(DSSE_ENVELOPE, bytes),
  },
  bundles: {
    seeds: [
      text({ mediaType: BUNDLE, verificationMaterial: { publicKey: { hint: '' } }, dsseEnvelope }),
      text({ mediaType: BUNDLE, messageSignature: { signature: base64(signer.sign(manifest.bytes)) } }),
    ],
    read: (bytes) => claim(BUNDLE, bytes),
  },
  'bundles with a certificate': {
    seeds: [
      text(bundleOf(keyless.attestation, { payloadType: IN_TOTO, payload: statement }, '0.1')),
      text(bundleOf(keyless.attestation, { payloadType: IN_TOTO, payload: statement })),
      text(bundleOf(keyless.signature, { message: manifest.bytes })),
    ],
    read: (bytes) => readClaim({ mediaType: BUNDLE, bytes, signature: undefined }, manifest, [], [identity]),
  },
  'certificates, log entries and timestamps at a tag': {
    seeds: Object.entries(annotations).map(([name, value]) => text([name, value])),
    read(bytes) {
      // What is no pair any more is tried as a certificate.
      const found = /^\["([\w./-]+)","(.*)"\]$/s.exec(Buffer.from(bytes).toString());
      const [, name = 'dev.sigstore.cosign/certificate', value = Buffer.from(bytes).toString()] = found ?? [];
      const mutated = { ...annotations, [name]: value.replaceAll('\\"', '"').replaceAll('\\n', '\n') };
      const signature = mutated[SIGNATURE_ANNOTATION];
      const simple = { mediaType: SIMPLE_SIGNING, bytes: simpleSigning(manifest.digest), signature };
      return readClaim({ ...simple, annotations: mutated }, manifest, [], [identity]);
    },
  },
  'trusted roots': {
    seeds: [Buffer.from(instance.trustedRoot)],
    read: (bytes) => parseTrustedRoot(Buffer.from(bytes).toString()),
  },
  'simple signatures, signed': {
    seeds: [simpleSigning(ONES)],
    read: (bytes) => claim(SIMPLE_SIGNING, bytes, base64(signer.sign(bytes))),
  },
  'provenance, signed': {
    seeds: [text(provenanceV02([ONES, ZERO], [task])), text(provenanceV1([ONES, ZERO], [task]))],
    read: (bytes) => claim(DSSE_ENVELOPE, signedBy(bytes)),
  },
  keys: {
    seeds: [Buffer.from(signer.pem), Buffer.from(createSigner('Ed25519').pem), Buffer.from(`# a key\n${signer.pem}`)],
    read: (bytes) => parsePublicKeys(Buffer.from(bytes).toString()),
  },
  'auth files': {
    seeds: [
      text({ auths: { 'quay.io/org': { auth: base64(Buffer.from('user:pass')) }, 'quay.io': { identitytoken: 't' } } }),
    ],
    read: (bytes) =>
      findInConfig(
        bytes,
        'auth.json',
        { registry: 'quay.io', repository: 'org/image' },
        {
          environment: { PATH: '/nonexistent' },
          signal: new AbortController().signal,
        },
      ),
  },
};

const TOKENS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', 'null', '0', '-1e999', '1e-9', '{}', '[]', '""'],
  ...['"__proto__":{},', '"constructor":1,', '\ufeff', '\u0000', '\u202e', 'ſ', '\u212a', '='.repeat(5), '-----BEGIN '],
  ...[ONES, 'sha512:', '[[[[[[[[', '{"a":{"a":{"a":', '0,0,0,0,0,0,0,0,'],
].map((token) => Buffer.from(token));

/** Numbers that look random and are the same each time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to four changes: a byte, a piece left out, doubled or moved, a token put in, sometimes very often. */
function mutate(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + random(40));
    const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const token = TOKENS[random(TOKENS.length)] ?? piece;
    const times = random(200) === 0 ? 1 + random(60_000) : 1;
    const parts = [
      [before, Buffer.from([random(256)]), bytes.subarray(Math.min(at + 1, bytes.length))],
      [before, after],
      [before, piece, piece, after],
      [piece, before, after],
      [before],
      [before, ...new Array<Buffer>(times).fill(token), piece, after],
      [before, ...new Array<Buffer>(times).fill(piece.length > 0 && piece.length < 40 ? piece : token), after],
    ];
    bytes = Buffer.concat(parts[random(parts.length)] ?? []);
  }
  return bytes;
}

/** What reading takes: milliseconds of this process, and bytes. */
async function cost(
  read: Kind['read'],
  bytes: Uint8Array,
): Promise<{ milliseconds: number; bytes: number; code: string }> {
  // With what is kept outside of the heap: the bytes of buffers.
  const held = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  const started = process.threadCpuUsage();
  let code = 'read';
  try {
    await read(bytes);
  } catch (error) {
    if (!(error instanceof DigestChainError)) throw error;
    code = error.code;
  }
  const { user } = process.threadCpuUsage(started);
  return { milliseconds: user / 1000, bytes: held() - before, code };
}

beforeAll(async () => {
  // What is compiled once is no cost of an input.
  for (const { seeds, read } of Object.values(KINDS)) for (const seed of seeds) await cost(read, seed);
});

describe.each(Object.entries(KINDS))('mutated %s', (name, { seeds, read }) => {
  it('are read or refused with a code, in time and in little memory', async () => {
    const random = numbers(name.length * 7919);
    const codes = new Set<string>();
    for (let index = 0; index < COUNT / Object.keys(KINDS).length; index++) {
      const bytes = mutate(seeds[index % seeds.length] ?? Buffer.alloc(0), random);
      const told = (): string =>
        `${name} ${index}: ${JSON.stringify(Buffer.from(bytes).toString('latin1')).slice(0, 2000)}`;
      const seen = await cost(read, bytes).catch((error: unknown) => {
        throw new Error(told(), { cause: error });
      });
      codes.add(seen.code);
      if (seen.milliseconds <= MAX_MILLISECONDS && seen.bytes <= MAX_BYTES) continue;
      // A collection of what others left may have come in between.
      const again = await cost(read, bytes);
      expect(Math.min(seen.milliseconds, again.milliseconds), told()).toBeLessThan(MAX_MILLISECONDS);
      expect(Math.min(seen.bytes, again.bytes), told()).toBeLessThan(MAX_BYTES);
    }
    // Some were good enough to be read, and some were not.
    expect(codes.size).toBeGreaterThan(1);
  });
});
