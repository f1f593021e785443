import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRegistry } from '@multi-image/digest-chain';
import { ISSUER, SUBJECT, startKeylessInstance } from '@multi-image/testing/keyless-signer';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPTIONS } from '../../options.ts';
import { renderPage } from '../../report/html/page.ts';
import { type PublishedChain, publishChain, signByCertificate, signChain } from '../../testing/tenant-chain.ts';
import { runVerifyCommand } from './command.ts';

const revision = 'c0ffee'.padEnd(40, '0');
const registry = createRegistry();
let server: TestRegistry;
let chain: PublishedChain;
let folder: string;
let trustedRoot: string;

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await publishChain(registry, `${server.host}/acme/keyless`, revision);
  await signChain(registry, chain, createSigner());
  const instance = await startKeylessInstance();
  await signByCertificate(registry, chain, instance);
  folder = await mkdtemp(join(tmpdir(), 'e2e-keyless-'));
  trustedRoot = join(folder, 'trusted_root.json');
  await writeFile(trustedRoot, instance.trustedRoot);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const verify = (values: object) =>
  runVerifyCommand(
    `${chain.image1}:${revision}`,
    { ...parseArgs({ args: [], options: OPTIONS }).values, ...values },
    new AbortController().signal,
  );

test('proves a published chain with an identity, and shows how cosign does', async () => {
  const identity = { 'certificate-identity': SUBJECT, 'certificate-oidc-issuer': ISSUER, 'trusted-root': trustedRoot };
  const report = await verify(identity);
  expect(report).toMatchObject({ status: 'passed', level: 'attested', publicKeys: [] });
  expect(report.signer).toBe(
    `--certificate-identity ${SUBJECT} --certificate-oidc-issuer ${ISSUER} --trusted-root ${trustedRoot}`,
  );
  const page = renderPage(report);
  expect(page).toContain(`cosign verify --certificate-identity ${SUBJECT}`);
  expect(page).not.toContain('cosign.pub');

  const other = await verify({ ...identity, 'certificate-oidc-issuer': 'https://other.example' });
  expect(other).toMatchObject({ status: 'failed', level: 'none' });
});

test('refuses half an identity, and a key that is in no file', async () => {
  await expect(verify({ 'certificate-identity': SUBJECT })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(verify({ key: ['awskms:///alias/x'] })).rejects.toMatchObject({
    code: 'KEY_INVALID',
    hint: expect.stringContaining('cosign public-key --key awskms:///alias/x'),
  });
});
