import { buildArgsOf, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { CHAINS_FIXTURE, chainsFixture } from '@multi-image/testing/chains-fixture';
import { memoryChain, signChain } from '@multi-image/testing/memory-chain';
import { type MemoryRegistry, memoryRegistry } from '@multi-image/testing/memory-registry';
import { provenanceV02, SOURCE } from '@multi-image/testing/provenance';
import { createSigner, envelope, simpleSigning } from '@multi-image/testing/signer';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DSSE_ENVELOPE, OCI_MANIFEST, SIMPLE_SIGNING } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { parsePublicKeys } from '../signature/keys.ts';
import { type Verification, type VerifyOptions, verify } from '../verify.ts';

// Documents of a real Chains: what the others' tests say about its formats is checked against them here.

const { image1, image2, source, revision } = CHAINS_FIXTURE;

async function prove(options: VerifyOptions = {}): Promise<Verification> {
  const { registry, key } = await chainsFixture();
  return verify(registry, parseReference(`${image1}:${revision}`), { keys: parsePublicKeys(key), ...options });
}

describe('what Tekton Chains 0.26 wrote', () => {
  it('is attested: the run, its source, and who built', async () => {
    const proof = await prove({ source: 'git://git.test/repo', revision });
    expect(proof.level).toBe('attested');
    const evidence = (id: string, role?: string) =>
      proof.checks.find((check) => check.id === id && check.role === role)?.evidence;
    expect(evidence('provenance')).toContain('PipelineRun cc6b704b-63e7-4c98-b056-78208d7edffc has all images');
    expect(evidence('builder')).toBe('https://tekton.dev/chains/v2, as tekton.dev/v1/PipelineRun');
    expect(evidence('source')).toBe(`built from git://git.test/repo at ${revision}`);
    expect(evidence('built-by', 'primary')).toBe('built by task build-image-1 (a task defined in the run itself)');
    expect(evidence('built-by', 'metadata')).toBe('built by task build-image-2 (a task defined in the run itself)');
    expect(evidence('build-args', 'metadata')).toContain('task build-image-2 was called with IMAGE1_DIGEST=sha256:');
  });

  it('says that its source was not asked for', async () => {
    const { checks } = await prove();
    expect(checks.find(({ id }) => id === 'source')?.evidence).toContain('which was not asked for');
  });

  it.each<[string, VerifyOptions, string]>([
    ['another source', { source: 'https://git.test/repo' }, 'source'],
    ['another builder', { builders: ['https://tekton.dev/chains/v2#tekton-local'] }, 'builder'],
    ['a trusted bundle', { builderTasks: ['oci://quay.io/konflux-ci/tekton-catalog/*'] }, 'built-by'],
  ])('is not where %s is asked for', async (_, options, id) => {
    const proof = await prove(options);
    expect(proof.level).toBe('none');
    expect(proof.checks.filter(({ status }) => status === 'failed').map((check) => check.id)).toContain(id);
  });

  it('is not where the provenance of the builder’s run is gone, though all TaskRuns are attested, too', async () => {
    const { registry, key } = await chainsFixture();
    for (const [name, bytes] of registry.blobs) {
      if (name.includes('@sha256:76a082cc13aa5f02133e1fe7fe25c3b5a447f559befc2ed9b0e5287238899fe9')) {
        registry.blobs.delete(name);
        expect(bytes.length).toBe(107_870);
      }
    }
    const reference = parseReference(`${image1}:${revision}`);
    const proof = await verify(registry, reference, { keys: parsePublicKeys(key) });
    expect(proof.level).toBe('none');
    expect(proof.checks).toContainEqual(
      expect.objectContaining({
        id: 'provenance',
        status: 'failed',
        found: expect.stringContaining('of 1, PipelineRun'),
      }),
    );
  });

  it(`is named by ${source} and at ${image2}`, async () => {
    expect((await prove({ source, at: new Map([['metadata', parseReference(image2)]]) })).level).toBe('attested');
  });
});

describe('what Tekton Chains writes with its encoding sigstore-bundle', () => {
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const signer = createSigner();

  /** As `makeSigBundleBytes` and `MakeNewBundle` make them: only the statement is signed as DSSE says. */
  const bundleOf = (dsseEnvelope: object): Buffer =>
    Buffer.from(
      JSON.stringify({ mediaType: type, verificationMaterial: { publicKey: { hint: 'aGludA==' } }, dsseEnvelope }),
    );
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const signatureOf = (digest: Digest): Buffer => {
    const payload = simpleSigning(digest);
    return bundleOf({
      payload: base64(payload),
      payloadType: SIMPLE_SIGNING,
      signatures: [{ sig: base64(signer.sign(payload)) }],
    });
  };

  async function attach(registry: MemoryRegistry, image: string, digest: Digest, bundle: Buffer): Promise<void> {
    const place = parseReference(image);
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 };
    const layers = [{ mediaType: type, ...(await registry.putBlob(place, bundle)) }];
    const subject = { mediaType: OCI_MANIFEST, digest, size: 1 };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: type, config, layers, subject };
    await registry.putReferrer(place, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: OCI_MANIFEST });
  }

  it.each([
    ['alone', false],
    ['beside the tags .sig and .att, as after a change of the encoding', true],
  ])('is attested: %s', async (_, beside) => {
    const registry = memoryRegistry();
    const chain = await memoryChain(registry, 'app');
    const subjects = [chain.sealed, chain.origin, chain.metadata];
    const statement = provenanceV02(subjects, tasksOf(chain, buildArgsOf(chain)));
    if (beside) await signChain(registry, chain, signer, [{ image: chain.image2, digest: chain.metadata, statement }]);
    const provenance = bundleOf(JSON.parse(Buffer.from(envelope(signer, statement)).toString()));
    for (const [image, digest] of [
      [chain.image1, chain.sealed],
      [chain.image2, chain.metadata],
    ] as const) {
      await attach(registry, image, digest, signatureOf(digest));
      await attach(registry, image, digest, provenance);
    }
    const start = parseReference(`${chain.image1}:${REVISION}`);
    expect((await verify(registry, start, { keys: signer.keys, source: SOURCE })).level).toBe('attested');
    expect((await verify(registry, start, { keys: createSigner().keys })).level).toBe('none');
  });
});

it.each([
  ['a statement, as cosign’s library does (WriteAttestationsReferrer)', 'application/vnd.in-toto+json'],
  ['an envelope', DSSE_ENVELOPE],
])('an envelope among the referrers that is listed as %s counts', async (_, artifactType) => {
  const signer = createSigner();
  const registry = memoryRegistry();
  const chain = await memoryChain(registry, 'app');
  await signChain(registry, chain, signer, []);
  const statement = provenanceV02([chain.sealed, chain.origin, chain.metadata], tasksOf(chain, buildArgsOf(chain)));
  const start = parseReference(`${chain.image1}:${REVISION}`);
  const prove = () => verify(registry, start, { keys: signer.keys, source: SOURCE });
  expect((await prove()).level).not.toBe('attested');

  const place = parseReference(chain.image2);
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 };
  const layers = [{ mediaType: DSSE_ENVELOPE, ...(await registry.putBlob(place, envelope(signer, statement))) }];
  const subject = { mediaType: OCI_MANIFEST, digest: chain.metadata, size: 1 };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config, layers, subject };
  await registry.putReferrer(place, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: OCI_MANIFEST });
  expect((await prove()).level).toBe('attested');
});
