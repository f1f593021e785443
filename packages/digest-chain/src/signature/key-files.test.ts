import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '@multi-image/testing/signer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../testing/cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-keys-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('takes a key from the environment', async () => {
  const verify = (SIGNER: string) =>
    runCli(['verify', '127.0.0.1:1/a:b', '--key', 'env://SIGNER'], {}, SIGNER === '' ? {} : { SIGNER });
  // No registry is there: the key was taken.
  expect((await verify(createSigner().pem)).stderr).toMatch(/^error REGISTRY_UNREACHABLE: /);
  expect(await verify('no key')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^error KEY_INVALID: /) });
  expect(await verify('')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^error KEY_INVALID: /) });
});

it.each(['text.pub', 'not-there.pub'])('names the one of several key files that is none: %s', async (name) => {
  const good = join(folder, 'good.pub');
  await writeFile(good, createSigner().pem);
  await writeFile(join(folder, 'text.pub'), 'cosign.pub');
  const bad = join(folder, name);
  const { status, stderr } = await runCli(['verify', 'a', '--key', good, '--key', bad]);
  expect(status).toBe(2);
  const [message, ...rest] = stderr.split('\n');
  expect(message).toMatch(/^error KEY_INVALID: /);
  expect(message).toContain(bad);
  expect(rest.join('\n')).toContain('-----BEGIN PUBLIC KEY-----; cosign public-key --key <key> prints one');
});

it.each([
  [
    'k8s://tekton-chains/signing-secrets',
    "kubectl get secret signing-secrets -n tekton-chains -o jsonpath='{.data.cosign\\.pub}' | base64 -d > cosign.pub",
  ],
  ['awskms:///alias/chains', 'cosign public-key --key awskms:///alias/chains > cosign.pub'],
  ['gcpkms://projects/p/locations/l', 'cosign public-key --key gcpkms://projects/p/locations/l > cosign.pub'],
  ['azurekms://vault/key', 'cosign public-key --key azurekms://vault/key > cosign.pub'],
  ['hashivault://chains', 'cosign public-key --key hashivault://chains > cosign.pub'],
  ['gitlab://12', 'cosign public-key --key gitlab://12 > cosign.pub'],
  ["pkcs11:token=x;object=$(id)'", "cosign public-key --key 'pkcs11:token=x;object=$(id)'\\''' > cosign.pub"],
])('refuses a key that is in no file, and says how it gets there: %s', async (reference, command) => {
  const { status, stderr } = await runCli(['verify', '127.0.0.1:1/a:b', '--key', reference]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^error KEY_INVALID: a key in .* is not read: /);
  expect(stderr).toContain(`${command} writes it into a file`);
});
