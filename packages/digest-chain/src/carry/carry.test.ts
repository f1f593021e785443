import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobDescriptor } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { EMPTY, EMPTY_MEDIA_TYPE, OCI_MANIFEST } from '../media-types.ts';
import {
  attachmentTag,
  parseDigestReference,
  parseReference,
  parseTagReference,
  repositoryName,
} from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { fallbackTag } from '../registry/referrers.ts';
import type { RawManifest, Repository } from '../registry/registry.ts';
import { type SealOptions, type SealResult, seal } from '../seal.ts';
import { subjectOf } from '../statement/artifact.ts';
import { runCli } from '../testing/cli.ts';

const CYCLONEDX = 'application/vnd.cyclonedx+json';
const SPDX = 'application/spdx+json';
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

let server: TestRegistry;
const registry = createRegistry();

beforeAll(async () => {
  server = await startTestRegistry();
});
afterAll(async () => {
  await server.stop();
});

function sealChain(chain: TestChain, options: SealOptions = {}): Promise<SealResult> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  const tag = parseTagReference(`${chain.image1}:${REVISION}`);
  return seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], { tag, ...options });
}

interface ArtifactOptions {
  readonly layerType: string;
  readonly content?: string;
  readonly artifactType?: string;
  readonly subject?: RawManifest;
}

/** A manifest as cosign (by tag) or oras (by subject) writes it. */
async function artifactOf(
  place: Repository,
  { layerType, content = `{"type":"${layerType}"}`, artifactType, subject }: ArtifactOptions,
): Promise<RawManifest> {
  const describe = (mediaType: string, { digest, size }: BlobDescriptor): object => ({ mediaType, digest, size });
  const config = await registry.putBlob(place, EMPTY);
  const layer = await registry.putBlob(place, Buffer.from(content));
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: describe(
      artifactType === undefined ? 'application/vnd.oci.image.config.v1+json' : 'application/vnd.oci.empty.v1+json',
      config,
    ),
    layers: [describe(layerType, layer)],
    subject: subject === undefined ? undefined : subjectOf(subject),
    annotations: { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' },
  });
  const bytes = Buffer.from(text);
  return { bytes, mediaType: OCI_MANIFEST, digest: digestOf(bytes) };
}

async function attachByTag(
  place: Repository,
  image: Digest,
  kind: 'sbom' | 'sig' | 'att',
  layerType: string,
): Promise<Digest> {
  const manifest = await artifactOf(place, { layerType });
  await registry.putManifest(place, attachmentTag(image, kind), manifest);
  return manifest.digest;
}

async function attachBySubject(
  place: Repository,
  image: Digest,
  artifactType: string,
  layerType = artifactType,
): Promise<Digest> {
  const subject = await registry.getManifest(place, image);
  const manifest = await artifactOf(place, { layerType, artifactType, subject });
  await registry.putReferrer(place, manifest);
  return manifest.digest;
}

async function typesAt(place: Repository, image: Digest): Promise<(string | undefined)[]> {
  const referrers = await registry.listReferrers(place, image);
  return referrers.map(({ artifactType }) => artifactType).filter((type) => !type?.includes('image-chain'));
}

describe('seal', () => {
  it('carries an SBOM that is listed by the media type of its config, and no statement', async () => {
    const chain = await pushChain(server.host, 'listed-otherwise');
    const place = parseReference(chain.image1);
    await attachBySubject(place, chain.origin, SPDX);
    await sealChain(chain);
    const tag = fallbackTag(chain.origin);
    const { bytes, mediaType } = await registry.getManifest(place, tag);
    const list = JSON.parse(Buffer.from(bytes).toString());
    const manifests = list.manifests.map((each: object) => ({ ...each, artifactType: EMPTY_MEDIA_TYPE }));
    expect(manifests).toHaveLength(2);
    await registry.putManifest(place, tag, { bytes: Buffer.from(JSON.stringify({ ...list, manifests })), mediaType });
    const { digest, attachments } = await sealChain(chain);
    expect(attachments).toMatchObject({ carried: [{}], left: [] });
    expect(await typesAt(place, digest)).toEqual([SPDX]);
  });

  it('carries SBOMs, and leaves signatures where they are', async () => {
    const chain = await pushChain(server.host, 'carry');
    const place = parseReference(chain.image1);
    const sbom = await attachByTag(place, chain.origin, 'sbom', CYCLONEDX);
    await attachByTag(place, chain.origin, 'sig', SIMPLE_SIGNING);
    await attachByTag(place, chain.origin, 'att', 'application/vnd.dsse.envelope.v1+json');
    const spdx = await attachBySubject(place, chain.origin, SPDX);
    const bundle = await attachBySubject(place, chain.origin, BUNDLE);
    const disguised = await attachBySubject(place, chain.origin, CYCLONEDX, BUNDLE);

    const { digest, attachments } = await sealChain(chain);
    expect((await registry.getManifest(place, attachmentTag(digest, 'sbom'))).digest).toBe(sbom);
    expect(await typesAt(place, digest)).toEqual([SPDX]);
    for (const kind of ['sig', 'att'] as const) {
      expect(await registry.headManifest(place, attachmentTag(digest, kind))).toBeUndefined();
    }
    expect(attachments?.carried.map(({ from }) => from)).toEqual([attachmentTag(chain.origin, 'sbom'), spdx]);
    expect(attachments?.left.map(({ name }) => name).toSorted()).toEqual(
      [attachmentTag(chain.origin, 'sig'), attachmentTag(chain.origin, 'att'), bundle, disguised].toSorted(),
    );

    // Apart from its subject the carried manifest is the same.
    const [listed] = await registry.listReferrers(place, digest, { artifactType: SPDX });
    const carried = JSON.parse(
      Buffer.from((await registry.getManifest(place, listed?.digest ?? digest)).bytes).toString(),
    );
    const original = JSON.parse(Buffer.from((await registry.getManifest(place, spdx)).bytes).toString());
    expect({ ...carried, subject: undefined }).toEqual({ ...original, subject: undefined });
    expect(carried.subject.digest).toBe(digest);

    // Again, nothing changes.
    expect(await sealChain(chain)).toEqual({ ...(await sealChain(chain)), digest });
    expect(await typesAt(place, digest)).toEqual([SPDX]);
  });

  it('lets an SBOM that names the image name the sealed one, by tag and by subject', async () => {
    const chain = await pushChain(server.host, 'names');
    const place = parseReference(chain.image1);
    const spdx = (digest: Digest) =>
      `{"spdxVersion":"SPDX-2.3","name":"${chain.image1}@${digest}","documentNamespace":"https://example.com/1"}`;
    const tagged = await artifactOf(place, { layerType: SPDX, content: spdx(chain.origin) });
    await registry.putManifest(place, attachmentTag(chain.origin, 'sbom'), tagged);
    const subject = await registry.getManifest(place, chain.origin);
    const by = { layerType: SPDX, artifactType: SPDX, subject };
    await registry.putReferrer(place, await artifactOf(place, { ...by, content: spdx(chain.origin) }));
    const { digest, attachments } = await sealChain(chain);
    expect(attachments?.carried).toHaveLength(2);
    const [listed] = await registry.listReferrers(place, digest, { artifactType: SPDX });
    for (const reference of [attachmentTag(digest, 'sbom'), listed?.digest ?? digest]) {
      const manifest = JSON.parse(Buffer.from((await registry.getManifest(place, reference)).bytes).toString());
      const document = JSON.parse(Buffer.from(await registry.getBlob(place, manifest.layers[0])).toString());
      expect(document).toMatchObject({
        name: `${chain.image1}@${digest}`,
        relationships: [{ relationshipType: 'AMENDS', comment: expect.stringContaining(chain.origin) }],
      });
    }
    // What is about the origin stays, and sealing again changes nothing.
    expect((await registry.getManifest(place, attachmentTag(chain.origin, 'sbom'))).digest).toBe(tagged.digest);
    expect((await sealChain(chain)).attachments).toEqual(attachments);
  });

  it('tells a task where the document is, of the sealed image and of one that it links to', async () => {
    const chain = await pushChain(server.host, 'told');
    const [image1, image2] = [parseReference(chain.image1), parseReference(chain.image2)];
    const folder = await mkdtemp(join(tmpdir(), 'sbom-'));
    const file = join(folder, 'SBOM_BLOB_URL');
    const told = async (...args: string[]): Promise<string | undefined> => {
      await rm(file, { force: true });
      expect(await runCli([...args, `--result-sbom=${file}`])).toMatchObject({ status: 0 });
      return readFile(file, 'utf8').catch(() => undefined);
    };
    const sealAgain = [
      'seal',
      `${chain.image1}@${chain.origin}`,
      `metadata=${chain.image2}:${REVISION}@${chain.metadata}`,
      `--tag=${chain.image1}:${REVISION}`,
    ];
    const extract = ['extract', `${chain.image1}:${REVISION}`, '--role=metadata'];
    try {
      // Without an SBOM there is no such result.
      expect(await told(...sealAgain)).toBeUndefined();
      expect(await told(...extract)).toBeUndefined();
      const content = JSON.stringify({
        spdxVersion: 'SPDX-2.3',
        documentNamespace: 'https://example.com/1',
        name: `${chain.image1}@${chain.origin}`,
      });
      const sbom = await artifactOf(image1, { layerType: SPDX, content });
      await registry.putManifest(image1, attachmentTag(chain.origin, 'sbom'), sbom);
      await attachByTag(image2, chain.metadata, 'sbom', CYCLONEDX);
      const url = await told(...sealAgain);
      const { digest } = await registry.getManifest(image1, REVISION);
      const place = parseDigestReference(url ?? '');
      expect(repositoryName(place)).toBe(chain.image1);
      const manifest = JSON.parse(
        Buffer.from((await registry.getManifest(image1, attachmentTag(digest, 'sbom'))).bytes).toString(),
      );
      expect(place.digest).toBe(manifest.layers[0].digest);
      const document = Buffer.from(await registry.getBlob(place, manifest.layers[0])).toString();
      expect(JSON.parse(document)).toMatchObject({ name: `${chain.image1}@${digest}` });
      expect(await told(...extract)).toBe(`${chain.image2}@${digestOf(Buffer.from(`{"type":"${CYCLONEDX}"}`))}`);
      // What is there and is no SBOM is none.
      await attachByTag(image2, chain.metadata, 'sbom', SIMPLE_SIGNING);
      expect(await told(...extract)).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('carries those of each image of an index', async () => {
    const chain = await pushChain(server.host, 'index', { platforms: ['linux/amd64', 'linux/arm64'] });
    const place = parseReference(chain.image1);
    const children = async (digest: Digest): Promise<Digest[]> => {
      const { bytes } = await registry.getManifest(place, digest);
      return JSON.parse(Buffer.from(bytes).toString()).manifests.map((entry: { digest: Digest }) => entry.digest);
    };
    const [, second = chain.origin] = await children(chain.origin);
    await attachByTag(place, chain.origin, 'sbom', SPDX);
    await attachByTag(place, second, 'sbom', CYCLONEDX);
    const { digest } = await sealChain(chain);
    const [first = digest, sealed = digest] = await children(digest);
    const typeOf = async (image: Digest): Promise<string | undefined> => {
      const manifest = await registry.getManifest(place, attachmentTag(image, 'sbom')).catch(() => undefined);
      return manifest && JSON.parse(Buffer.from(manifest.bytes).toString()).layers[0].mediaType;
    };
    expect([await typeOf(digest), await typeOf(first), await typeOf(sealed)]).toEqual([SPDX, undefined, CYCLONEDX]);
  });

  it('does not overwrite an SBOM that somebody attached to the sealed image', async () => {
    const chain = await pushChain(server.host, 'there');
    const place = parseReference(chain.image1);
    const { digest } = await sealChain(chain);
    const own = await attachByTag(place, digest, 'sbom', SPDX);
    await attachByTag(place, chain.origin, 'sbom', CYCLONEDX);
    const { attachments } = await sealChain(chain);
    expect(attachments).toMatchObject({ carried: [], left: [{ reason: expect.stringContaining('is there already') }] });
    expect((await registry.getManifest(place, attachmentTag(digest, 'sbom'))).digest).toBe(own);
  });

  it.each([
    ['with --no-carry', { carry: false }, undefined, false],
    ['where nothing is checked', { check: false }, undefined, false],
    ['where that is asked for', { check: false, carry: true }, { carried: { length: 1 } }, true],
  ] as const)('carries or not %s', async (name, options, attachments, there) => {
    const chain = await pushChain(server.host, `option-${name.replaceAll(/\W/g, '')}`);
    const place = parseReference(chain.image1);
    await attachByTag(place, chain.origin, 'sbom', CYCLONEDX);
    const result = await sealChain(chain, options);
    if (attachments === undefined) expect(result.attachments).toBeUndefined();
    else expect(result.attachments).toMatchObject(attachments);
    expect((await registry.headManifest(place, attachmentTag(result.digest, 'sbom'))) !== undefined).toBe(there);
  });

  it('says what is attached as an SBOM and is none', async () => {
    const chain = await pushChain(server.host, 'none');
    const place = parseReference(chain.image1);
    await attachByTag(place, chain.origin, 'sbom', SIMPLE_SIGNING);
    const { attachments, digest } = await sealChain(chain);
    expect(attachments).toMatchObject({ carried: [], left: [{ name: attachmentTag(chain.origin, 'sbom') }] });
    expect(await registry.headManifest(place, attachmentTag(digest, 'sbom'))).toBeUndefined();
  });
});
