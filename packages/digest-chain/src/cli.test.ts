import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { ZERO } from '@multi-image/testing/image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { type Outcome, runCli } from './testing/cli.ts';

const CLI = fileURLToPath(new URL('./cli.ts', import.meta.url));

/** As a shell runs it, in a process of its own. */
function spawned(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const digestChain = (...args: string[]): Promise<Outcome> => runCli(args);

let server: TestRegistry;
let chain: TestChain;
let folder: string;

beforeAll(async () => {
  server = await startTestRegistry();
  chain = await pushChain(server.host, 'cli');
  folder = await mkdtemp(join(tmpdir(), 'digest-chain-cli-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('digest-chain', () => {
  it('seals, verifies, extracts and unseals', async () => {
    const file = (name: string): string => join(folder, name);
    const results = ['--result-url', file('url'), `--result-digest=${file('digest')}`];
    const sealed = `${chain.image1}:${REVISION}`;
    const link = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
    const seal = await spawned(
      'seal',
      `--tag=${sealed}`,
      ...results,
      '--json',
      '--',
      `${chain.image1}@${chain.origin}`,
      link,
    );
    expect(seal).toMatchObject({ status: 0, stderr: '' });
    const { digest } = JSON.parse(seal.stdout);
    expect(await readFile(file('url'), 'utf8')).toBe(sealed);
    expect(await readFile(file('digest'), 'utf8')).toBe(digest);

    const verify = await spawned('verify', sealed, '--revision', REVISION);
    expect(verify.status).toBe(0);
    expect(verify.stdout).toContain(`linked: ${sealed}@${digest}`);

    const extract = await spawned('extract', sealed, '--role', 'metadata', '--wait', '--deadline', '5s', ...results);
    expect(extract).toMatchObject({ status: 0, stdout: `${chain.image2}:${REVISION}@${chain.metadata}\n` });
    expect(await readFile(file('url'), 'utf8')).toBe(`${chain.image2}:${REVISION}`);
    expect(await readFile(file('digest'), 'utf8')).toBe(chain.metadata);

    const unseal = await spawned(
      'unseal',
      `${chain.image1}@${digest}`,
      '--manifest',
      file('manifest'),
      '--config',
      file('config'),
    );
    expect(unseal).toMatchObject({ status: 0, stdout: `${chain.origin}\n` });
    const manifest = await readFile(file('manifest'));
    expect(digestOf(manifest)).toBe(chain.origin);
    expect(digestOf(await readFile(file('config')))).toBe(JSON.parse(manifest.toString()).config.digest);
  });

  it('exits 1 where the proof fails, and says how', async () => {
    const wrong = ['verify', `${chain.image2}:${REVISION}`, `--revision=${'f'.repeat(40)}`];
    const verify = await digestChain(...wrong);
    expect(verify).toMatchObject({ status: 1, stderr: '' });
    expect(verify.stdout).toMatch(/^FAILED {2}same-revision/m);
    const json = await digestChain(...wrong, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ level: 'none' });
  });

  it('takes a deadline that is further away than a timer reaches', async () => {
    const verify = await digestChain('verify', `${chain.image1}:${REVISION}`, '--deadline', '1000h');
    expect(verify).toMatchObject({ status: 0, stderr: '' });
  });

  it('writes no result where it fails', async () => {
    const url = join(folder, 'none');
    const extract = await digestChain(
      'extract',
      `${chain.image1}:never`,
      '--role=metadata',
      '--wait',
      '--deadline=300ms',
      `--result-url=${url}`,
    );
    expect(extract.status).toBe(1);
    expect(extract.stderr).toMatch(/error WAIT_DEADLINE: waited .* for .*cli\/image1:never, which did not come\n/);
    await expect(readFile(url)).rejects.toThrow();
  });

  it('says that a file can not be written', async () => {
    const sealed = `${chain.image1}:${REVISION}`;
    for (const file of [join(folder, 'no', 'such'), '/dev/full']) {
      const unseal = await digestChain('unseal', sealed, '--manifest', file);
      const told = `error FILE_UNWRITABLE: a file could not be written: ${file}\n`;
      expect(unseal).toMatchObject({ status: 1, stderr: expect.stringContaining(told) });
    }
  });

  it('publishes nothing where a result can not be written', async () => {
    const [origin, tag] = [`${chain.image1}@${chain.origin}`, `${chain.image1}:untold`];
    const link = `metadata=${chain.image2}:${REVISION}@${chain.metadata}`;
    for (const verb of ['seal', 'link']) {
      for (const [option, file] of [
        ['--result-digest', join(folder, 'no', 'such')],
        ['--result-url', folder],
        ...(verb === 'seal' ? [['--result-images', join(CLI, 'file')]] : []),
      ]) {
        const result = await digestChain(verb, origin, link, `--tag=${tag}`, `${option}=${file}`);
        const told = `error FILE_UNWRITABLE: a file could not be written: ${file}\n`;
        expect(result).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(told) });
      }
    }
    expect(await digestChain('resolve', `x=${tag}`)).toMatchObject({ status: 1 });
    // It was only looked at: an empty file would be a result.
    const file = join(folder, 'untouched');
    await digestChain('extract', `${chain.image1}:never`, '--role=metadata', `--result-url=${file}`);
    await expect(readFile(file)).rejects.toThrow();
  });

  it.each([
    ['no verb', [], /Usage/],
    ['an unknown verb', ['toString'], /error USAGE: no such verb/],
    ['an unknown option', ['verify', 'a/b:c', '--frobnicate'], /error USAGE: .*--frobnicate/],
    ['an option without its value', ['verify', 'a/b:c', '--revision'], /error USAGE/],
    ['an empty value', ['verify', 'a/b:c', '--revision='], /error USAGE: --revision has no value/],
    ['an empty value of several', ['verify', 'a/b:c', '--key', 'x', '--key', ''], /error USAGE: --key has no value/],
    ['no image', ['verify'], /error USAGE: no image given/],
    ['two images', ['unseal', 'a/b:c', 'a/b:d'], /error USAGE: more than one/],
    ['no link', ['seal', `a/b@${ZERO}`], /error USAGE/],
    ['no role', ['seal', `a/b@${ZERO}`, `a/c@${ZERO}`], /error USAGE: not <role>=<image>/],
    [
      'an origin without a digest',
      ['seal', 'quay.io/a/b:c', `metadata=quay.io/a/c@${ZERO}`],
      /error (REFERENCE|DIGEST)_INVALID/,
    ],
    [
      'a malformed digest',
      ['seal', 'quay.io/a/b@sha256:abc', `metadata=quay.io/a/c@${ZERO}`],
      /error (REFERENCE|DIGEST)_INVALID/,
    ],
    ['a malformed reference', ['verify', 'quay.io/a b'], /error REFERENCE_INVALID/],
    ['a malformed prefix', ['verify', 'quay.io/a/b:c', '--prefix', 'A"'], /error LABEL_PREFIX_INVALID/],
    ['no --role', ['extract', 'a/b:c'], /error USAGE: no --role/],
    ['a --role that is none', ['extract', 'a/b:c', '--role', 'A b'], /error USAGE: --role is no role: A b/],
    [
      'a role twice',
      ['link', `a/b@${ZERO}`, `x=a/c@${ZERO}`, '--external', `x=a/d@${ZERO}`],
      /error USAGE: x is given twice/,
    ],
    [
      'a --pipeline-run that is none',
      ['seal', `a/b@${ZERO}`, `x=a/c@${ZERO}`, '--pipeline-run', 'A b'],
      /error USAGE: --pipeline-run is no name of a PipelineRun: A b/,
    ],
    [
      'a --git-url that is none',
      ['snapshot', 'a/b:c', '--application', 'a', '--git-url', 'x'],
      /error USAGE: --git-url is no git URL: x/,
    ],
    ['a malformed deadline', ['extract', 'a/b:c', '--role', 'x', '--wait', '--deadline', 'soon'], /error USAGE/],
    ['a deadline without waiting', ['extract', 'a/b:c', '--role', 'x', '--deadline', '1s'], /error USAGE/],
    ['text that steers the terminal', ['verify', 'a\u001b[2J\u202e'], /^[\x20-\x7e\n…]*$/],
  ])('exits 2 for %s', async (_, args, message) => {
    const outcome = await digestChain(...args);
    expect(outcome).toMatchObject({ status: 2, stdout: '' });
    expect(outcome.stderr).toMatch(message);
  });

  it('prints an error as JSON too, when asked to', async () => {
    const outcome = await digestChain('verify', '127.0.0.1:1/a:b', '--json');
    expect(outcome.status).toBe(1);
    expect(JSON.parse(outcome.stdout).error.code).toBe('REGISTRY_UNREACHABLE');
  });

  it.each(['seal', 'unseal', 'verify', 'extract'])('%s --help has examples', async (verb) => {
    const outcome = await digestChain(verb, '--help');
    expect(outcome).toMatchObject({ status: 0, stdout: expect.stringContaining(`Examples:\n  digest-chain ${verb}`) });
    expect((await digestChain('--help')).stdout).toContain(`  ${verb} `);
    expect(await digestChain('help', verb)).toEqual(outcome);
    expect(await digestChain('--help', verb)).toEqual(outcome);
  });
});

describe('a file that has no end', () => {
  it.each([
    ['--statement', ['--statement', '/dev/zero'], 'STATEMENT_INVALID', 1],
    ['--digest-from', ['--digest-from', '/dev/zero'], 'USAGE', 2],
    ['--key', ['--key', '/dev/zero'], 'KEY_INVALID', 2],
    [
      '--trusted-root',
      ['--trusted-root', '/dev/zero', '--certificate-identity', 'a', '--certificate-oidc-issuer', 'b'],
      'TRUSTED_ROOT_INVALID',
      2,
    ],
  ])('is read as far as %s may be long', async (_, args, code, status) => {
    const tag = `${chain.image1}:${REVISION}`;
    const outcome = await digestChain('verify', tag, ...args);
    expect(outcome).toMatchObject({ status, stderr: expect.stringMatching(new RegExp(`^error ${code}: `)) });
  });
});
