import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { ZERO } from '@multi-image/testing/image';
import {
  annotationsOf,
  ISSUER,
  type KeylessInstance,
  SUBJECT,
  startKeylessInstance,
} from '@multi-image/testing/keyless-signer';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { createSigner, pushSigned, simpleSigning } from '@multi-image/testing/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIGNATURE_ANNOTATION, SIMPLE_SIGNING } from './media-types.ts';
import { parseReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const REPOSITORY = join(PACKAGE, '../..');
const BIN = join(REPOSITORY, 'node_modules/.bin');

let server: TestRegistry;
let folder: string;
let keyless: KeylessInstance;

beforeAll(async () => {
  server = await startTestRegistry();
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-package-'));
  keyless = await startKeylessInstance();
  await writeFile(join(folder, 'trusted_root.json'), keyless.trustedRoot);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program there; rejects where it fails, with what it printed. */
const run = (program: string, args: readonly string[], cwd = folder) => promisify(execFile)(program, args, { cwd });
const node = (...args: readonly string[]) => run(process.execPath, args);

const sealArguments = (chain: TestChain): string[] => [
  `${chain.image1}@${chain.origin}`,
  `metadata=${chain.image2}:${REVISION}@${chain.metadata}`,
  `--tag=${chain.image1}:${REVISION}`,
];

describe('what is published', () => {
  let chain: TestChain;
  let examples: readonly string[];

  beforeAll(async () => {
    await run(join(BIN, 'tsdown'), ['--out-dir', 'dist'], PACKAGE);
    const archive = join(folder, 'package.tgz');
    await run('npx', ['--yes', '--prefer-offline', 'pnpm@12', 'pack', '--out', archive], PACKAGE);
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', archive]);
    chain = await pushChain(server.host, 'org');
    const readme = await readFile(join(PACKAGE, 'README.md'), 'utf8');
    examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) =>
      code
        .replace('image1@sha256:…', `image1@${chain.origin}`)
        .replace('image2:v1@sha256:…', `image2:${REVISION}@${chain.metadata}`)
        .replaceAll('quay.io/org/', `${server.host}/org/`),
    );
    await Promise.all(examples.map((code, index) => writeFile(join(folder, `${index}.mts`), code)));
  });

  it('has examples of ten lines at most, which do what they say', async () => {
    expect(examples.map((code) => code.trim().split('\n').length).filter((lines) => lines > 10)).toEqual([]);
    const sealed = await node('0.mts');
    expect(sealed.stdout).toMatch(new RegExp(`^${chain.origin} is sealed as sha256:[0-9a-f]{64}\n$`));
    const verified = await node('1.mts');
    expect(verified.stdout).toMatch(/^passed link-present .*\nlinked\n$/s);
    const read = await node('2.mts');
    expect(read.stdout).toBe(`linux/amd64 ${chain.metadata} 0\n`);
  });

  it('has types', async () => {
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const types = join(REPOSITORY, 'node_modules/@types');
    await run(join(BIN, 'tsc'), [...options, '--typeRoots', types, ...examples.map((_, index) => `${index}.mts`)]);
  });

  it('verifies signatures with certificates, and loads what that takes for nothing else', async () => {
    const sealed = await pushChain(server.host, 'keyless');
    await run(join(folder, 'node_modules/.bin/digest-chain'), ['seal', ...sealArguments(sealed)]);
    const bytes = simpleSigning(sealed.metadata);
    const annotations = annotationsOf(await keyless.sign(bytes, { timestamp: true }));
    const tag = `${sealed.metadata.replace(':', '-')}.sig`;
    const layer = { mediaType: SIMPLE_SIGNING, bytes, annotations };
    await pushSigned(createRegistry(), parseReference(sealed.image2), tag, [layer]);
    await writeFile(join(folder, 'note.mjs'), NOTE);
    const verify = async (...args: readonly string[]) => {
      const image = `${sealed.image1}:${REVISION}`;
      const all = [
        '--import=./note.mjs',
        'node_modules/@multi-image/digest-chain/dist/cli.js',
        'verify',
        image,
        ...args,
      ];
      const done = node(...all).catch((failed: { stdout: string; stderr: string }) => failed);
      const { stdout, stderr } = await done;
      const files = [...stderr.matchAll(/^loaded file:\/\/(.*)$/gm)].map(([, file = '']) => readFile(file, 'utf8'));
      return { stdout, loads: (await Promise.all(files)).some((text) => text.includes('TransparencyLogEntry')) };
    };
    const proof = await verify(...KEYLESS);
    expect(proof.stdout).toMatch(/passed +signature \(metadata\) +signed by https:\/\/github.com\/org/);
    expect(proof.loads).toBe(true);
    await writeFile(join(folder, 'key.pub'), createSigner().pem);
    const byKey = await verify('--key=key.pub');
    expect(byKey.stdout).toMatch(/FAILED +signature \(metadata\)/);
    expect(byKey.loads).toBe(false);
  });

  it('has a command, and needs nothing else', async () => {
    const { stdout } = await run(join(folder, 'node_modules/.bin/digest-chain'), ['verify', '--help']);
    expect(stdout).toContain('Usage: digest-chain verify');
    const installed = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
    expect(Object.keys(installed.packages)).toEqual(['', 'node_modules/@multi-image/digest-chain']);
  });
});

/** Notes every file that is loaded. */
const NOTE = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { console.error('loaded', url); return next(url, context); } });`;

const IDENTITY = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', ISSUER];
const KEYLESS = [...IDENTITY, '--trusted-root=trusted_root.json'];

describe('the source by itself, as pipelines run it', () => {
  const cli = (...args: readonly string[]) => node('packages/digest-chain/src/cli.ts', ...args);

  beforeAll(async () => {
    for (const name of ['digest-chain', 'kit']) {
      await mkdir(join(folder, 'packages', name), { recursive: true });
      await cp(join(REPOSITORY, 'packages', name, 'src'), join(folder, 'packages', name, 'src'), { recursive: true });
    }
    await rm(join(folder, 'node_modules'), { recursive: true, force: true });
  });

  it('seals, verifies, and tells which signatures it can not check', async () => {
    const chain = await pushChain(server.host, 'source');
    await cli('seal', ...sealArguments(chain));
    const start = `${chain.image1}:${REVISION}`;
    expect((await cli('verify', start)).stdout).toContain(`linked: ${start}@`);

    const [signer, other] = [createSigner('Ed25519'), createSigner('Ed25519')];
    await writeFile(join(folder, 'key.pub'), signer.pem);
    const bytes = simpleSigning(chain.metadata);
    const sign = (by: typeof signer) => ({
      mediaType: SIMPLE_SIGNING,
      bytes,
      annotations: { [SIGNATURE_ANNOTATION]: Buffer.from(by.sign(bytes)).toString('base64') },
    });
    const tag = `${chain.metadata.replace(':', '-')}.sig`;
    const verify = () => cli('verify', start, '--key=key.pub').catch((failed: { stdout: string }) => failed);
    await pushSigned(createRegistry(), parseReference(chain.image2), tag, [sign(other)]);
    expect((await verify()).stdout).toMatch(/FAILED +signature \(metadata\).*KEY_UNSUPPORTED/s);
    await pushSigned(createRegistry(), parseReference(chain.image2), tag, [sign(other), sign(signer)]);
    expect((await verify()).stdout).toMatch(/passed +signature \(metadata\)/);
  });

  it('tells what certificates need, before it asks for anything', async () => {
    const failed = cli('verify', `127.0.0.1:1/a:b`, ...KEYLESS);
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error KEYLESS_UNSUPPORTED: /m),
    });
    const fetching = cli('verify', `127.0.0.1:1/a:b`, ...IDENTITY);
    await expect(fetching).rejects.toMatchObject({ stderr: expect.stringMatching(/^error KEYLESS_UNSUPPORTED: /m) });
  });

  it('refuses what is called wrongly, without anything installed', async () => {
    await expect(cli('seal', `a/b@${ZERO}`)).rejects.toMatchObject({ code: 2 });
  });
});
