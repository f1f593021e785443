import { startTestServer, type TestServer } from '@multi-image/testing/http-server';
import { ONES, ZERO } from '@multi-image/testing/image';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extract } from './extract.ts';
import { inspect } from './inspect/inspect.ts';
import { link } from './link.ts';
import { readImage } from './read-image.ts';
import type { DigestReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import type { Registry } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import { seal } from './seal.ts';
import { attachStatement } from './statement/artifact.ts';
import { discoverStatements } from './statement/discover.ts';
import { unseal } from './unseal.ts';
import { verify } from './verify.ts';

/** Takes requests and never answers one. */
let server: TestServer;
let asked: Promise<void>;
const registry = createRegistry();

beforeEach(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  asked = promise;
  server = await startTestServer(() => {
    resolve();
    return new Promise(() => {});
  });
});
afterEach(() => server.stop());

const image = (): DigestReference => ({ registry: server.host, repository: 'org/image', digest: ZERO });
const linked = () => [{ role: 'metadata', image: { ...image(), digest: ONES } }];
const bytes = Buffer.from(`{"subject":{"digest":"${ZERO}"}}`);
const manifest = { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json' };
const descriptor = { digest: ZERO, size: 4 };
const attach = (signal: AbortSignal) => {
  const url = `${server.host}/org/image`;
  const chain = { images: [{ role: 'primary', url, digest: ZERO }], embeds: [] };
  return attachStatement(registry, chain, [{ repository: image(), manifest: { ...manifest, digest: ZERO } }], {
    signal,
  });
};

const VERBS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  seal: (signal) => seal(registry, image(), linked(), { signal }),
  link: (signal) => link(registry, image(), linked(), { signal }),
  unseal: (signal) => unseal(registry, image(), { signal }),
  verify: (signal) => verify(registry, image(), { signal }),
  inspect: (signal) => inspect(registry, image(), { signal }),
  extract: (signal) => extract(registry, image(), { role: 'metadata', signal }),
  'extract, waiting': (signal) => extract(registry, image(), { role: 'metadata', deadline: 60_000, signal }),
  readImage: (signal) => readImage(registry, image(), { signal }),
  attachStatement: attach,
  discoverStatements: (signal) => discoverStatements(registry, image(), ZERO, { signal }),
};

const CALLS: Readonly<Record<string, (client: Registry) => Promise<unknown>>> = {
  getManifest: (client) => client.getManifest(image(), ZERO),
  headManifest: (client) => client.headManifest(image(), ZERO),
  putManifest: (client) => client.putManifest(image(), 'tag', manifest),
  getBlob: (client) => client.getBlob(image(), descriptor),
  headBlob: (client) => client.headBlob(image(), ZERO),
  readBlob: (client) => client.readBlob(image(), descriptor, async () => {}),
  putBlob: (client) => client.putBlob(image(), bytes),
  pushBlob: (client) => client.pushBlob(image(), descriptor, async function* () {}),
  startUpload: (client) => client.startUpload(image()).finish(bytes),
  copyBlob: (client) => client.copyBlob(descriptor, image(), { ...image(), repository: 'org/other' }),
  listReferrers: (client) => client.listReferrers(image(), ZERO),
  putReferrer: (client) => client.putReferrer(image(), manifest),
};

async function expectStop(start: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const work = start(stop.signal);
  work.catch(() => {});
  await asked;
  stop.abort(new Error('enough'));
  await expect(work).rejects.toMatchObject({ code: 'ABORTED', cause: expect.objectContaining({ message: 'enough' }) });
}

describe('a registry that hangs', () => {
  it.each(Object.entries(VERBS))('%s is stopped by its signal', (_, verb) => expectStop(verb));

  it.each(Object.entries(CALLS))('%s is stopped by the signal of the client', (_, call) =>
    expectStop((signal) => call(withSignal(registry, signal))),
  );

  it('is not even asked where the signal was there before', async () => {
    const { requests } = server;
    for (const verb of Object.values(VERBS)) {
      await expect(verb(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    }
    expect(requests).toEqual([]);
  });
});
