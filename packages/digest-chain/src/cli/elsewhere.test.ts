import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf } from '../digest.ts';
import { EMPTY, OCI_MANIFEST } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { runCli } from '../testing/cli.ts';

let server: TestRegistry;
let chain: TestChain;
const registry = createRegistry();

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await pushChain(server.host, 'cli-elsewhere');
});
afterAll(async () => {
  await server.stop();
});

it('publishes in another repository, says what it carried, and verifies where the images are now', async () => {
  const place = parseReference(chain.image1);
  const sbomTag = `${chain.origin.replace(':', '-')}.sbom`;
  const descriptor = (mediaType: string): object => ({ mediaType, digest: digestOf(EMPTY), size: EMPTY.length });
  await registry.putBlob(place, EMPTY);
  const config = descriptor('application/vnd.oci.image.config.v1+json');
  const layers = [descriptor('application/vnd.cyclonedx+json')];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
  await registry.putManifest(place, sbomTag, { bytes, mediaType: OCI_MANIFEST });

  const released = `${server.host}/released/image1`;
  const linked = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
  const seal = await runCli([
    'seal',
    `${chain.image1}@${chain.origin}`,
    linked,
    `--to=${released}`,
    `--tag=${released}:1`,
  ]);
  expect(seal).toMatchObject({ status: 0, stderr: '' });
  const digest = /@(sha256:[0-9a-f]{64})/.exec(seal.stdout)?.[1] ?? '';
  expect(seal.stdout).toContain(`carried ${sbomTag} as ${digest.replace(':', '-')}.sbom\n`);
  expect((await registry.getManifest(parseReference(released), `${digest.replace(':', '-')}.sbom`)).bytes).toEqual(
    bytes,
  );

  const there = parseReference(`${server.host}/released/image2`);
  const metadata = await registry.getManifest(parseReference(chain.image2), chain.metadata);
  await registry.copyBlob(JSON.parse(bytes.toString()).config, place, there);
  const { config: image2 } = JSON.parse(Buffer.from(metadata.bytes).toString());
  await registry.copyBlob(image2, parseReference(chain.image2), there);
  await registry.putManifest(there, '1', metadata);
  const verify = await runCli(['verify', `${released}:1`, '--at', `metadata=${server.host}/released/image2`]);
  expect(verify).toMatchObject({ status: 0, stderr: '' });
  expect(verify.stdout).toContain(`in ${server.host}/released/image2`);
  const nowhere = await runCli(['verify', `${released}:1`, '--at', `metadata=${server.host}/released/nowhere`]);
  expect(nowhere).toMatchObject({ status: 1, stdout: expect.stringMatching(/^FAILED {2}linked-image-exists/m) });
});

it.each([
  ['a place with a tag', ['verify', 'a/b:c', '--at', 'metadata=a/d:e']],
  ['a place without a role', ['verify', 'a/b:c', '--at', 'a/d']],
  ['a place with an empty role', ['verify', 'a/b:c', '--at', '=a/d']],
  ['a place with an odd role', ['verify', 'a/b:c', '--at', 'Not=a/d']],
  ['two places of a role', ['verify', 'a/b:c', '--at=metadata=a/d', '--at=metadata=a/e']],
  ['a repository with a digest', ['seal', `a/b@${ZERO}`, `metadata=a/c@${ZERO}`, `--to=a/d@${ZERO}`]],
  ['a tag in another repository', ['seal', `a/b@${ZERO}`, `metadata=a/c@${ZERO}`, '--to=a/d', '--tag=a/b:1']],
  ['both of two opposites', ['seal', `a/b@${ZERO}`, `metadata=a/c@${ZERO}`, '--carry', '--no-carry']],
])('exits 2 for %s', async (_, args) => {
  expect(await runCli(args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^error USAGE: /) });
});
