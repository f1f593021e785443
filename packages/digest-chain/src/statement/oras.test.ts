import { command, hasCommand } from '@multi-image/testing/command';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { link } from '../link.ts';
import { parseDigestReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { parseStatement } from './statement.ts';

describe.skipIf(!hasCommand('oras'))('a chain statement (needs oras)', () => {
  let server: TestRegistry;

  beforeAll(async () => {
    server = await startTestRegistry();
  });
  afterAll(async () => {
    await server.stop();
  });

  it('is found, and read, by oras where the registry has no referrers API', async () => {
    const chain = await pushChain(server.host, 'oras');
    const linked = [{ role: 'metadata', image: parseDigestReference(`${chain.image2}@${chain.metadata}`) }];
    const { artifacts } = await link(createRegistry(), parseDigestReference(`${chain.image1}@${chain.origin}`), linked);
    const discover = ['discover', '--plain-http', '--format', 'json'];
    for (const [index, image] of [`${chain.image1}@${chain.origin}`, `${chain.image2}@${chain.metadata}`].entries()) {
      const found = JSON.parse(await command('oras', [...discover, image]));
      const [referrer, ...more] = found.referrers ?? found.manifests;
      expect(more).toEqual([]);
      expect(artifacts).toContain(referrer.digest);
      expect(referrer).toMatchObject({
        artifactType: 'application/vnd.konflux.image-chain.v1+json',
        annotations: { 'in-toto.io/predicate-type': 'https://poc.konflux.io/image-chain/v1' },
      });
      const repository = [chain.image1, chain.image2][index];
      const fetch = ['manifest', 'fetch', '--plain-http', `${repository}@${referrer.digest}`];
      const [layer] = JSON.parse(await command('oras', fetch)).layers;
      const blob = ['blob', 'fetch', '--plain-http', '--output', '-', `${repository}@${layer.digest}`];
      expect(parseStatement(Buffer.from(await command('oras', blob))).embeds).toEqual([
        { image: 'metadata', embedded: 'primary' },
      ]);
    }
  });
});
