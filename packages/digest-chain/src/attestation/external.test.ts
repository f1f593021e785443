import { attest, sign } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage as Built, pushEmbedding } from '@multi-image/testing/embedding-image';
import { provenanceV02, SOURCE, type TestTask } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Check } from '../check.ts';
import { link } from '../link.ts';
import { parseDigestReference, parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { type Verification, verify } from '../verify.ts';

let server: TestRegistry;
let images: readonly [Built, Built, Built];
const registry = createRegistry();
const signer = createSigner();

beforeAll(async () => {
  server = await startTestRegistry();
  const build = (role: string, embeds: readonly Built[], revision = REVISION): Promise<Built> =>
    pushEmbedding(registry, `${server.host}/${role}`, role, embeds, { revision });
  const daemon = await build('daemon', [], 'd'.repeat(40));
  const operator = await build('operator', []);
  const bundle = await build('bundle', [operator, daemon]);
  images = [operator, bundle, daemon];
  const at = ({ image, digest }: Built) => parseDigestReference(`${image}@${digest}`);
  const [linked, external] = [[bundle], [daemon]].map((all) =>
    all.map((each) => ({ role: each.role, image: at(each) })),
  );
  await link(registry, at(operator), linked ?? [], { external });
  for (const image of [operator, bundle]) await sign(image.image, image.digest, signer);
});
afterAll(() => server.stop());

/** The proof, where the build system signed of a run with these tasks beside the builds. */
async function proveWith(...further: readonly TestTask[]): Promise<Verification> {
  const [operator, bundle, daemon] = images;
  const args = [operator, daemon].flatMap(({ role, digest, url }) => {
    return [`${role.toUpperCase()}_DIGEST=${digest}`, `${role.toUpperCase()}_URL=${url}`];
  });
  const tasks: readonly TestTask[] = [
    { name: 'clone', results: { 'CHAINS-GIT_URL': SOURCE, 'CHAINS-GIT_COMMIT': REVISION } },
    { name: 'build-operator', results: { IMAGE_URL: operator.image, IMAGE_DIGEST: operator.digest } },
    {
      name: 'build-bundle',
      params: { BUILD_ARGS: args },
      results: { IMAGE_URL: bundle.image, IMAGE_DIGEST: bundle.digest },
    },
    ...further,
  ];
  await attest(bundle.image, bundle.digest, signer, provenanceV02([operator.digest, bundle.digest], tasks));
  return verify(registry, parseReference(`${operator.image}@${operator.digest}`), {
    keys: signer.keys,
    source: SOURCE,
  });
}

const builtBy = ({ checks }: Verification): Check | undefined =>
  checks.find(({ id, role }) => id === 'built-by' && role === 'daemon');

it('is attested by the task that resolved it, and needs no signature of this build system', async () => {
  const { digest } = images[2];
  const proof = await proveWith({ name: 'resolve-daemon', results: { DIGEST: digest } });
  expect(proof.checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect(proof.level).toBe('attested');
  expect(builtBy(proof)?.evidence).toContain('built elsewhere, and taken as task resolve-daemon');
  expect(proof.checks.filter(({ id }) => id === 'signature').map(({ role }) => role)).toEqual(['bundle', 'operator']);
});

it('fails where no task of the run says where the image is from', async () => {
  const proof = await proveWith();
  expect(proof.level).toBe('none');
  expect(builtBy(proof)).toMatchObject({ status: 'failed', hint: expect.stringContaining('digest-chain resolve') });
});

it('fails where the run itself built what is called external', async () => {
  const { digest, image } = images[2];
  const resolved = { name: 'resolve-daemon', results: { DIGEST: digest } };
  const proof = await proveWith(resolved, {
    name: 'build-daemon',
    results: { IMAGE_URL: image, IMAGE_DIGEST: digest },
  });
  expect(proof.level).toBe('none');
  expect(builtBy(proof)).toMatchObject({ status: 'failed', found: expect.stringContaining('build-daemon') });
});
