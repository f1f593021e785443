import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildArgsOf, type SealedChain, sealedChain, sign, tasksOf } from '@multi-image/testing/attested-chain';
import { REVISION } from '@multi-image/testing/chain';
import {
  annotationsOf,
  bundleOf,
  ISSUER,
  type KeylessInstance,
  type KeylessOptions,
  SUBJECT,
  startKeylessInstance,
} from '@multi-image/testing/keyless-signer';
import { provenanceV02 } from '@multi-image/testing/provenance';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, pushSigned, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { extract } from '../extract.ts';
import { IN_TOTO, SIMPLE_SIGNING } from '../media-types.ts';
import { attachmentTag, parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { CertificateIdentity } from '../signature/keyless.ts';
import { parseTrustedRoot } from '../signature/keyless-root.ts';
import { runCli } from '../testing/cli.ts';
import { verify } from '../verify.ts';

const registry = createRegistry();
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

let server: TestRegistry;
let instance: KeylessInstance;
let identities: readonly CertificateIdentity[];
let folder: string;
let trustedRoot: string;

beforeAll(async () => {
  server = await startTestRegistry();
  instance = await startKeylessInstance();
  identities = [{ subject: SUBJECT, issuer: ISSUER, trustedRoot: await parseTrustedRoot(instance.trustedRoot) }];
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-keyless-'));
  trustedRoot = join(folder, 'trusted_root.json');
  await writeFile(trustedRoot, instance.trustedRoot);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const startOf = (chain: SealedChain) => parseReference(`${chain.image1}:${REVISION}`);

/** A chain of which both images and the run are signed with certificates. */
async function keylessChain(name: string, options: KeylessOptions = {}): Promise<SealedChain> {
  const chain = await sealedChain(server.host, name);
  await signImage(chain.image1, chain.sealed, options);
  await signImage(chain.image2, chain.metadata, options);
  await attestRun(chain, options);
  return chain;
}

async function signImage(image: string, digest: Digest, options: KeylessOptions): Promise<void> {
  const bytes = simpleSigning(digest);
  const annotations = annotationsOf(await instance.sign(bytes, options));
  const place = parseReference(image);
  await pushSigned(registry, place, attachmentTag(digest, 'sig'), [{ mediaType: SIMPLE_SIGNING, bytes, annotations }]);
}

async function attestRun(chain: SealedChain, options: KeylessOptions): Promise<void> {
  const statement = provenanceV02([chain.sealed, chain.origin, chain.metadata], tasksOf(chain, buildArgsOf(chain)));
  const payload = Buffer.from(JSON.stringify(statement));
  const made = await instance.signEnvelope(IN_TOTO, payload, options);
  const bytes = Buffer.from(JSON.stringify(bundleOf(made, { payloadType: IN_TOTO, payload })));
  await pushSigned(registry, parseReference(chain.image2), attachmentTag(chain.metadata, 'att'), [
    { mediaType: BUNDLE, bytes },
  ]);
}

describe('a chain that was signed with certificates', () => {
  it('is attested, and says who signed', async () => {
    const { checks, level } = await verify(registry, startOf(await keylessChain('good')), { identities });
    expect(checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(level).toBe('attested');
    const evidence = checks.find(({ id }) => id === 'signature')?.evidence;
    expect(evidence).toContain(`signed by ${SUBJECT} (by ${ISSUER})`);
    expect(evidence).toContain('a transparency log has it');
  });

  it.each<[string, KeylessOptions]>([
    ['another subject', { subject: 'https://github.com/evil/repo' }],
    ['another issuer', { issuer: 'https://evil.example' }],
  ])('is not attested by %s, and says who did', async (name, options) => {
    const chain = await keylessChain(name.replace(' ', '-'), options);
    const { checks, level } = await verify(registry, startOf(chain), { identities });
    expect(level).toBe('none');
    expect(checks.find(({ id }) => id === 'signature')).toMatchObject({
      status: 'failed',
      expected: expect.stringContaining(`by ${SUBJECT} (by ${ISSUER})`),
      found: expect.stringContaining('who was not asked for'),
    });
  });

  it('is attested where a key signed one part and a certificate another, if both may', async () => {
    const chain = await keylessChain('mixed');
    const signer = createSigner();
    await sign(chain.image1, chain.sealed, signer);
    const prove = (options: object) => verify(registry, startOf(chain), options);
    expect((await prove({ identities, keys: signer.keys })).level).toBe('attested');
    expect((await prove({ identities })).level).toBe('none');
    expect((await prove({ keys: signer.keys })).level).toBe('none');
  });

  it('is extracted from, also before its run has ended is known of', async () => {
    const chain = await keylessChain('extract');
    const { digest, verification } = await extract(registry, startOf(chain), { role: 'metadata', identities });
    expect(digest).toBe(chain.metadata);
    expect(verification.level).toBe('attested');
    const signed = extract(registry, startOf(chain), { role: 'metadata', identities, until: 'signed' });
    // Signed, and by no task alone: the certificate counted.
    await expect(signed).rejects.toMatchObject({ code: 'PROVENANCE_MISSING' });
  });

  it('is proved with the requests that a key takes, all to the registry', async () => {
    const chain = await keylessChain('requests');
    const count = async (options: object): Promise<readonly string[]> => {
      const hosts: string[] = [];
      const onRequest = (message: unknown) => {
        hosts.push(String((message as { request: { getHeader(name: string): unknown } }).request.getHeader('host')));
      };
      const onFetch = (message: unknown) => {
        hosts.push(String((message as { request: { origin: unknown } }).request.origin));
      };
      subscribe('http.client.request.start', onRequest);
      subscribe('undici:request:create', onFetch);
      try {
        await verify(createRegistry(), startOf(chain), options);
      } finally {
        unsubscribe('http.client.request.start', onRequest);
        unsubscribe('undici:request:create', onFetch);
      }
      return hosts;
    };
    const byCertificate = await count({ identities });
    expect(new Set(byCertificate)).toEqual(new Set([server.host]));
    expect(byCertificate.length).toBe((await count({ keys: createSigner().keys })).length);
  });
});

describe('the command', () => {
  const IDENTITY = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', ISSUER];

  it('proves a chain with the trusted root of a file', async () => {
    const chain = await keylessChain('command');
    const start = `${chain.image1}:${REVISION}`;
    const exact = await runCli(['verify', start, ...IDENTITY, '--trusted-root', trustedRoot]);
    expect(exact).toMatchObject({ status: 0, stdout: expect.stringContaining(`attested: ${start}@`) });
    const patterns = [
      '--certificate-identity-regexp',
      'org/repo',
      '--certificate-oidc-issuer-regexp',
      '^https://token',
    ];
    expect((await runCli(['verify', start, ...patterns, '--trusted-root', trustedRoot])).status).toBe(0);
    const wrong = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', 'https://other.example'];
    const refused = await runCli(['verify', start, ...wrong, '--trusted-root', trustedRoot]);
    expect(refused).toMatchObject({ status: 1, stdout: expect.stringMatching(/FAILED +signature/) });
    const extracted = ['extract', start, '--role', 'metadata', ...IDENTITY, '--trusted-root', trustedRoot];
    expect(await runCli(extracted)).toMatchObject({ status: 0, stdout: expect.stringContaining(chain.metadata) });
  });

  it.each([
    [['--certificate-identity', SUBJECT], /^error USAGE: --certificate-oidc-issuer or /],
    [['--certificate-oidc-issuer', ISSUER], /^error USAGE: --certificate-identity or /],
    [['--trusted-root', 'x'], /^error USAGE: --certificate-identity or /],
    [[...IDENTITY, '--certificate-identity-regexp', '.'], /^error USAGE: give one of --certificate-identity and /],
    [
      ['--certificate-identity-regexp', '(', '--certificate-oidc-issuer', ISSUER],
      /^error USAGE: .*no regular expression/,
    ],
    [['--certificate-identity-regexp', '[[:alpha:]]', '--certificate-oidc-issuer', ISSUER], /^error USAGE: .*POSIX/],
    [
      [...IDENTITY, '--trusted-root', 'x', '--tuf-mirror', 'http://127.0.0.1:1'],
      /^error USAGE: give one of --trusted-root/,
    ],
    [[...IDENTITY, '--trusted-root', '/nowhere/trusted_root.json'], /^error TRUSTED_ROOT_INVALID: .*can't be read/],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await runCli(['verify', '127.0.0.1:1/a:b', ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('says what it needs where a TUF repository is not known, or does not answer', async () => {
    const mirror = ['verify', '127.0.0.1:1/a:b', ...IDENTITY, '--tuf-mirror', 'http://127.0.0.1:1'];
    const unknown = await runCli(mirror);
    expect(unknown.stderr).toMatch(/^error TRUSTED_ROOT_INVALID: .*\n.*root\.json.*\n.*\n.*--tuf-root/);
    expect(unknown.status).toBe(2);
    const away = await runCli([...mirror, '--tuf-root', trustedRoot]);
    expect(away.stderr).toMatch(/^error TRUSTED_ROOT_UNAVAILABLE: /);
    expect(away.status).toBe(1);
  });
});
