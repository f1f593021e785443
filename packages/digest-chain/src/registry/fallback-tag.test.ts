import { startCountingProxy } from '@multi-image/testing/counting-proxy';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { decodeJson } from '../json/decode.ts';
import { artifactOf, EMPTY, OCI_INDEX, OCI_MANIFEST, SUBJECT } from '../testing/referrers.ts';
import { createRegistry } from './client.ts';
import { fallbackTag, readReferrers } from './referrers.ts';
import type { Registry, Repository } from './registry.ts';

describe('the fallback tag, at a real registry', () => {
  let server: TestRegistry;
  let repository: Repository;
  let registry: Registry;
  let repositories = 0;
  beforeAll(async () => {
    server = await startTestRegistry();
  });
  afterAll(() => server?.stop());

  async function fresh(): Promise<void> {
    repository = { registry: server.host, repository: `referrers/${repositories++}` };
    registry = createRegistry();
    await registry.putBlob(repository, EMPTY);
  }

  it('lists nothing where nothing is attached', async () => {
    await fresh();
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([]);
  });

  it('lists what was attached, with its artifactType and all annotations, once', async () => {
    await fresh();
    const artifact = artifactOf('one');
    const { digest } = await registry.putReferrer(repository, artifact);
    await registry.putReferrer(repository, artifact);
    await createRegistry().putReferrer(repository, artifact);
    const expected = {
      mediaType: OCI_MANIFEST,
      digest,
      size: artifact.bytes.length,
      artifactType: 'application/vnd.example',
      annotations: { name: 'one', 'org.example/x': 'y' },
    };
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toEqual([expected]);
    await expect(registry.getManifest(repository, digest)).resolves.toMatchObject({ digest });
    const tag = await registry.getManifest(repository, `sha256-${'5'.repeat(64)}`);
    expect(tag.mediaType).toBe(OCI_INDEX);
    expect(decodeJson(tag.bytes)).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [expected] });
  });

  it("takes the config's media type for an artifactType that is missing", async () => {
    await fresh();
    await registry.putReferrer(
      repository,
      artifactOf('one', SUBJECT, { artifactType: undefined, annotations: undefined }),
    );
    const [found] = await registry.listReferrers(repository, SUBJECT);
    expect(found).toMatchObject({ artifactType: 'application/vnd.oci.empty.v1+json' });
    expect(found).not.toHaveProperty('annotations');
  });

  it('filters by artifactType', async () => {
    await fresh();
    await registry.putReferrer(repository, artifactOf('one'));
    await registry.putReferrer(repository, artifactOf('two', SUBJECT, { artifactType: 'application/vnd.other' }));
    const options = { artifactType: 'application/vnd.other' };
    await expect(registry.listReferrers(repository, SUBJECT, options)).resolves.toHaveLength(1);
    await expect(registry.listReferrers(repository, SUBJECT)).resolves.toHaveLength(2);
  });

  it('leaves every byte of what others have listed', async () => {
    await fresh();
    const first = await registry.putManifest(repository, 'one', artifactOf('one'));
    const entry = `{ "size":10 , "digest":"${first.digest}","mediaType":"${OCI_MANIFEST}","x":9007199254740993,"\\u0061":[] }`;
    const index = `{"manifests":[\n${entry}\n],"mediaType":"${OCI_INDEX}","schemaVersion":2,"annotations":{"a":"b"}}\n`;
    await registry.putManifest(repository, fallbackTag(SUBJECT), { bytes: Buffer.from(index), mediaType: OCI_INDEX });
    await registry.putReferrer(repository, artifactOf('two'));
    const { bytes } = await registry.getManifest(repository, fallbackTag(SUBJECT));
    const text = Buffer.from(bytes).toString();
    expect(text.startsWith(index.slice(0, index.indexOf('\n]')))).toBe(true);
    expect(text.endsWith(index.slice(index.indexOf('\n]')))).toBe(true);
    expect(readReferrers(bytes)).toHaveLength(2);
  });

  it('lets nobody be forgotten when many clients attach at the same time', async () => {
    await fresh();
    const names = Array.from({ length: 12 }, (_, index) => `artifact ${index}`);
    await Promise.all(names.map((name) => createRegistry().putReferrer(repository, artifactOf(name))));
    const listed = await registry.listReferrers(repository, SUBJECT);
    expect(listed.map(({ annotations }) => annotations?.name).toSorted()).toEqual(names.toSorted());
  });

  it('makes those of one client wait for each other instead', async () => {
    await fresh();
    const proxy = await startCountingProxy(server.host);
    try {
      const names = Array.from({ length: 6 }, (_, index) => `artifact ${index}`);
      const behind = { ...repository, registry: proxy.host };
      await Promise.all(names.map((name) => registry.putReferrer(behind, artifactOf(name))));
      const listed = await registry.listReferrers(repository, SUBJECT);
      expect(listed.map(({ annotations }) => annotations?.name).toSorted()).toEqual(names);
      const writes = proxy.requests.filter((request) => request.startsWith('PUT') && request.includes('/sha256-'));
      expect(writes).toHaveLength(names.length);
    } finally {
      await proxy.stop();
    }
  });

  it('overwrites nothing that is no list of referrers', async () => {
    await fresh();
    const other = artifactOf('other');
    await registry.putManifest(repository, fallbackTag(SUBJECT), other);
    const refused = expect.objectContaining({ code: 'RESPONSE_INVALID' });
    await expect(registry.putReferrer(repository, artifactOf('one'))).rejects.toEqual(refused);
    await expect(registry.listReferrers(repository, SUBJECT)).rejects.toEqual(refused);
    const there = await registry.getManifest(repository, fallbackTag(SUBJECT));
    expect(there.digest).toBe(digestOf(other.bytes));
  });

  it('attaches only what has a subject', async () => {
    await fresh();
    const code = 'DIGEST_INVALID';
    const without = artifactOf('one', SUBJECT, { subject: undefined });
    await expect(registry.putReferrer(repository, without)).rejects.toEqual(expect.objectContaining({ code }));
  });
});
