import { createRegistry, DSSE_ENVELOPE, parseReference, SIGNATURE_ANNOTATION } from '@multi-image/digest-chain/oci';
import { palette } from '@multi-image/kit/terminal';
import { gitMaterial, provenanceV1, SOURCE } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, envelope, pushSigned } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderPage } from '../../report/html/page.ts';
import { renderJunit } from '../../report/junit.ts';
import { renderReport } from '../../report/terminal.ts';
import { type PublishedChain, publishChain, signChain } from '../../testing/tenant-chain.ts';
import { verifyPublished } from './verify-published.ts';

const registry = createRegistry();
const signer = createSigner();
let server: TestRegistry;
let chain: PublishedChain;

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await publishChain(registry, `${server.host}/acme/chain`, 'c0ffee'.padEnd(40, '0'));
  await signChain(registry, chain, signer);
  // In place of the provenance that tells the build arguments, the one of Chains' plain build type.
  const run = { materials: [gitMaterial(SOURCE, chain.revision)] };
  const bytes = envelope(signer, provenanceV1([chain.sealed, chain.origin, chain.metadata], [], false, run));
  const attestation = { mediaType: DSSE_ENVELOPE, bytes, annotations: { [SIGNATURE_ANNOTATION]: '' } };
  for (const [image, digest] of [
    [chain.image1, chain.sealed],
    [chain.image2, chain.metadata],
  ] as const) {
    await pushSigned(registry, parseReference(image), `${digest.replace(':', '-')}.att`, [attestation]);
  }
});
afterAll(() => server.stop());

test('with a key, provenance that says nothing of build arguments is a failure, wherever it is told', async () => {
  const report = await verifyPublished({ reference: `${chain.image1}:latest`, keys: signer.keys, registry });
  expect(report).toMatchObject({ status: 'failed', level: 'linked' });
  const { status, evidence = [] } = report.criteria.find(({ id }) => id === 'scanned-and-signed') ?? {};
  expect(status).toBe('failed');
  expect(evidence.find(({ check }) => check === 'level')).toMatchObject({
    status: 'failed',
    expected: 'attested',
    found: expect.stringMatching(/^linked; skipped: Image 1, built-by: /),
  });
  const terminal = renderReport(report, palette(process.stderr)).join('\n');
  expect(terminal).toContain('criterion fell: scanned-and-signed');
  expect(terminal).toMatch(/expected {2}attested\n +found {5}linked; skipped: .*\n +to do {5}\S/);
  expect(terminal).toContain('1 failed');
  expect(renderJunit(report)).toMatch(/classname="scanned-and-signed\.level"[^>]*><failure/);
  const page = renderPage(report).replaceAll(/<[^>]*>/g, '');
  expect(page).toContain('✗ linked: the images name each other');
  expect(page).toContain('1 failed');
});

test('without a key the same chain is linked, which is all that was asked for', async () => {
  const report = await verifyPublished({ reference: `${chain.image1}:latest`, registry });
  expect(report).toMatchObject({ status: 'passed', level: 'linked' });
});
