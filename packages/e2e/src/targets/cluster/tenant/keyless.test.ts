import { parseTrustedRoot } from '@multi-image/digest-chain';
import { ISSUER, SUBJECT, startKeylessInstance } from '@multi-image/testing/keyless-signer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWorld, startTenant, type TenantWorld } from '../../../testing/tenant.ts';
import { signByCertificate } from '../../../testing/tenant-chain.ts';
import type { Signers } from '../../signers.ts';

let world: TenantWorld;
let identity: NonNullable<Signers['identities']>[number];

beforeAll(async () => {
  world = await buildWorld();
  const instance = await startKeylessInstance();
  await signByCertificate(world.registry, world.chain, instance);
  identity = { subject: SUBJECT, issuer: ISSUER, trustedRoot: await parseTrustedRoot(instance.trustedRoot) };
});
afterAll(() => world.stop());

test.each([
  ['by whom was asked for', {}, { status: 'passed', level: 'attested', publicKeys: [] }],
  ['by somebody else', { subject: 'https://github.com/other' }, { status: 'failed', level: 'none', publicKeys: [] }],
])('a cluster that signs with certificates, %s, is asked for no key', async (_, other, expected) => {
  const tenant = await startTenant(world);
  tenant.server.secretData.clear();
  try {
    const report = await tenant.run({ identities: [{ ...identity, ...other }], signer: '--certificate-identity who' });
    expect(report).toMatchObject({ ...expected, signer: '--certificate-identity who' });
  } finally {
    await tenant.stop();
  }
});
