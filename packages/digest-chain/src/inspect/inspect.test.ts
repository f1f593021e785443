import { REVISION } from '@multi-image/testing/chain';
import { startTestServer, type TestResponse } from '@multi-image/testing/http-server';
import { ONES, ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, pushSigned, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTree } from '../cli/inspect.ts';
import { DigestChainError } from '../errors.ts';
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from '../media-types.ts';
import { parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/registry.ts';
import { withCallOptions } from '../registry/with-call-options.ts';
import { seal } from '../seal.ts';
import { type InspectedImage, type Inspection, inspect } from './inspect.ts';

const image: InspectedImage = {
  reference: `quay.io/org/app:1@${ZERO}`,
  digest: ZERO,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  images: 1,
  revision: REVISION,
  sealedFrom: undefined,
  links: [],
  referrers: [],
  signed: [],
  problems: [],
};

describe('inspect', () => {
  let server: TestRegistry;
  const registry = createRegistry();

  beforeAll(async () => {
    server = await startTestRegistry();
  });
  afterAll(async () => {
    await server.stop();
  });

  it('shows a chain from either end: links, statements, signatures', async () => {
    const chain = await pushChain(server.host, 'inspect');
    const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
    const tag = parseTagReference(`${chain.image1}:${REVISION}`);
    const { digest } = await seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], { tag });
    const signer = createSigner();
    const payload = simpleSigning(chain.metadata);
    const annotations = { [SIGNATURE_ANNOTATION]: Buffer.from(signer.sign(payload)).toString('base64') };
    const source = `${chain.metadata.replace(':', '-')}.sig`;
    const document = { mediaType: SIMPLE_SIGNING, bytes: payload, annotations };
    await pushSigned(registry, parseReference(chain.image2), source, [document]);

    const fromSealed = await inspect(registry, parseReference(`${chain.image1}:${REVISION}`));
    expect(fromSealed.images.map((found) => found.digest)).toEqual([digest, chain.metadata]);
    expect(fromSealed.images[0]).toMatchObject({
      sealedFrom: chain.origin,
      revision: REVISION,
      referrers: [{ artifactType: 'application/vnd.konflux.image-chain.v1+json' }],
      problems: [],
    });
    expect(fromSealed.images[0]?.links.map(({ by, role }) => `${by} ${role}`)).toEqual([
      'links metadata',
      'statement metadata',
    ]);
    expect(fromSealed.images[1]?.links[0]).toEqual({
      by: 'embeds',
      role: 'primary',
      url: chain.image1,
      digest: chain.origin,
    });
    expect(fromSealed.images[1]?.signed).toEqual([{ source, mediaType: SIMPLE_SIGNING }]);

    const text = formatTree(fromSealed);
    expect(text).toContain(
      `├─ sealed from ${chain.origin}\n├─ links metadata: ${chain.image2}:${REVISION}@${chain.metadata}\n│  ├─ `,
    );
    expect(text).toContain(`│  ├─ signed   ${source}`);

    const fromImage2 = await inspect(registry, parseReference(`${chain.image2}:${REVISION}`));
    expect(fromImage2.images.map((found) => found.digest)).toEqual([chain.metadata, digest]);
  });

  it('shows what can not be read beside what can', async () => {
    const chain = await pushChain(server.host, 'dangling');
    const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}@${ONES}`) };
    const tag = parseTagReference(`${chain.image1}:${REVISION}`);
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    await seal(registry, origin, [linked], { tag, check: false });
    const { images } = await inspect(registry, parseReference(`${chain.image1}:${REVISION}`));
    expect(images[1]).toMatchObject({ digest: undefined, problems: [expect.stringContaining('NOT_FOUND')] });
    await expect(inspect(registry, parseReference(`${chain.image1}:none`))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it.each([
    ['refuses', (): TestResponse => ({ status: 403 }), 'UNAUTHORIZED'],
    ['is out of order', (): TestResponse => ({ status: 501 }), 'REGISTRY_ERROR'],
  ])('shows an image whose linked one is at a registry that %s', async (_, answer, code) => {
    const other = await startTestServer(answer);
    const chain = await pushChain(server.host, 'elsewhere');
    const linked = { role: 'metadata', image: parseDigestReference(`${other.host}/image2@${ONES}`) };
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    const { digest } = await seal(registry, origin, [linked], { check: false });
    const { images } = await inspect(registry, parseReference(`${chain.image1}@${digest}`));
    await other.stop();
    expect(images[0]).toMatchObject({ digest, sealedFrom: chain.origin, problems: [] });
    expect(images[1]).toMatchObject({ digest: undefined, problems: [expect.stringContaining(`${code}: `)] });
  });

  it('waits for one registry that does not answer, and asks no other after it but the first', async () => {
    const chain = await pushChain(server.host, 'away');
    const links = [
      { role: 'a', image: parseDigestReference(`a.example/image2@${ONES}`) },
      { role: 'b', image: parseDigestReference(`b.example/image2@${ZERO}`) },
      { role: 'metadata', image: parseDigestReference(`${chain.image2}@${chain.metadata}`) },
    ];
    const { digest } = await seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), links, {
      check: false,
    });
    const away: Registry = {
      ...withCallOptions(registry, () => ({})),
      async getManifest(repository, reference, call) {
        if (repository.registry === server.host) return registry.getManifest(repository, reference, call);
        throw new DigestChainError('REGISTRY_TIMEOUT', `${repository.registry} does not answer`);
      },
    };
    const { images } = await inspect(away, parseReference(`${chain.image1}@${digest}`));
    expect(images.map(({ problems }) => problems)).toEqual([
      [],
      ['REGISTRY_TIMEOUT: a.example does not answer'],
      ['not read: a.example did not answer'],
      [],
    ]);
  });

  it('goes no further in than where it was sent: by whose word is told with every request', async () => {
    const chain = await pushChain(server.host, 'inward');
    const linked = { role: 'metadata', image: parseDigestReference(`inner.example/image2@${ONES}`) };
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    const { digest } = await seal(registry, origin, [linked], { check: false });
    const asked: string[] = [];
    const noted: Registry = {
      ...withCallOptions(registry, () => ({})),
      async getManifest(repository, reference, call) {
        if (repository.registry === server.host) return registry.getManifest(repository, reference, call);
        asked.push(`${repository.registry} by ${call?.namedBy}`);
        throw new DigestChainError('LINK_REFUSED', 'further in');
      },
    };
    const { images } = await inspect(noted, parseReference(`${chain.image1}@${digest}`));
    expect(asked).toEqual([`inner.example by ${server.host}`]);
    expect(images[1]?.problems).toEqual([expect.stringContaining('LINK_REFUSED')]);
  });
});

describe('text from outside', () => {
  const hostile = '\u001b[2J\n"]; click n0 "javascript:alert(1)" <b>#';
  const inspection: Inspection = {
    images: [
      {
        ...image,
        revision: hostile,
        links: [{ by: 'embeds', role: 'primary', url: hostile, digest: ONES }],
        referrers: [{ mediaType: '', digest: ONES, size: 1, artifactType: hostile }],
        problems: [hostile],
      },
    ],
    truncated: true,
  };

  it('steers no terminal', () => {
    const text = formatTree(inspection);
    expect(text).not.toContain('\u001b');
    expect(text.trimEnd().split('\n')).toHaveLength(7);
    expect(text).toContain('only the first 1 images are shown');
  });
});

it('a chain that leads back to itself is drawn once', () => {
  const other = { ...image, reference: `quay.io/org/meta@${ONES}`, digest: ONES };
  const link = { by: 'statement', role: 'metadata', url: 'quay.io/org/meta', digest: ONES } as const;
  const back = { by: 'statement', role: 'primary', url: 'quay.io/org/app', digest: ZERO } as const;
  const text = formatTree({
    images: [
      { ...image, links: [link, link] },
      { ...other, links: [back] },
    ],
    truncated: false,
  });
  expect(text.split('\n').filter((line) => line.includes('revision'))).toHaveLength(2);
});
