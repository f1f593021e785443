import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Outcome, runCli } from './testing/cli.ts';
import {
  absentManifest,
  basicAfterBearer,
  claimsSubject,
  createdAs,
  immutableTags,
  mountAnswer,
  NO_REFERRERS_API,
  type Quirk,
  type QuirkProxy,
  referrersAnswer,
  refusesSubject,
  startQuirkProxy,
  takesNothing,
  warns,
} from './testing/quirks.ts';

let real: TestRegistry;
let proxy: QuirkProxy;
let chains = 0;
beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startQuirkProxy(real.host);
});
afterAll(async () => {
  await proxy?.stop();
  await real?.stop();
});
beforeEach(() => {
  proxy.quirks = [];
  proxy.log.length = 0;
});

/** A chain that was pushed before the registry had its quirks. */
async function chain(): Promise<{ image1: string; image2: string; seal: string[]; tag: string }> {
  const pushed = await pushChain(proxy.host, `quirk${chains++}`);
  const [image1, image2] = [`${pushed.image1}@${pushed.origin}`, `${pushed.image2}@${pushed.metadata}`];
  const tag = `${pushed.image1}:v1`;
  proxy.log.length = 0;
  return { image1, image2, tag, seal: ['seal', image1, `metadata=${image2}`, '--tag', tag] };
}

const READING = [['verify'], ['inspect'], ['extract', '--role', 'metadata']];

function behave(...quirks: Quirk[]): void {
  proxy.quirks = quirks;
}

async function succeeds(args: readonly string[], ...more: [Record<string, object>?]): Promise<Outcome> {
  const outcome = await runCli(args, ...more);
  expect(outcome, outcome.stderr).toMatchObject({ status: 0 });
  return outcome;
}

describe('a registry without a referrers API', () => {
  it.each(Object.entries(NO_REFERRERS_API))('that says so by %s takes a whole chain', async (name, answer) => {
    const { seal, tag, image2 } = await chain();
    behave(referrersAnswer(answer));
    const sealed = await succeeds(seal);
    // Only where it has said that there is no such API is the fallback tag all that there may be.
    const known = ['400', '404', '405', '406', '501'].includes(name);
    expect(sealed.stdout.includes('left    referrers')).toBe(!known);
    for (const verb of READING) await succeeds([...verb, tag]);
    const back = await succeeds(['verify', image2]);
    expect(back.stdout).toContain('chain-statement');
  });

  it.each(Object.entries(NO_REFERRERS_API))('but claims to index (%s) loses no statement', async (_, answer) => {
    const { seal, image2 } = await chain();
    behave(referrersAnswer(answer), claimsSubject);
    await succeeds([...seal, '--no-carry']);
    await succeeds(['verify', image2]);
  });

  it.each(['401', '403', 'a page of HTML'] as const)('and no list (%s): says so where that decides', async (name) => {
    const { seal, image2, image1 } = await chain();
    behave(referrersAnswer(NO_REFERRERS_API[name]));
    for (const image of [image1, image2]) {
      const outcome = await runCli(['verify', image]);
      expect(outcome.status).toBe(1);
      expect(outcome.stdout + outcome.stderr).toMatch(/what is attached[^\n]* is unknown/);
    }
    const inspected = await succeeds(['inspect', image1]);
    expect(inspected.stdout).toMatch(/what is attached[^\n]* is unknown/);
    const demanded = await runCli([...seal, '--carry']);
    expect(demanded).toMatchObject({ status: 1, stderr: expect.stringContaining('--no-carry') });
    await succeeds([...seal, '--no-carry']);
  });
});

describe('a registry that does not tell what is not there', () => {
  it.each([401, 403])('by %i takes a whole chain', async (status) => {
    const { seal, tag, image2 } = await chain();
    behave(absentManifest(status));
    await succeeds(seal);
    for (const verb of READING) await succeeds([...verb, tag]);
    await succeeds(['verify', image2]);
    const absent = await runCli(['verify', `${tag}-not`]);
    // So that waiting for one is no matter of credentials.
    expect(absent).toMatchObject({ status: 1, stderr: expect.stringContaining('NOT_FOUND') });
    expect(absent.stderr).toContain('or does not show it');
  });
});

describe('a registry that counts in other numbers', () => {
  it.each([200, 202, 204])('has %i for 201', async (status) => {
    const { seal, tag } = await chain();
    behave(createdAs(status));
    await succeeds(seal);
    const heads = proxy.log.filter((line) => line.startsWith('HEAD'));
    expect(heads.length).toBeGreaterThanOrEqual(2);
    behave();
    await succeeds(['verify', tag]);
  });

  it.each([/\/manifests\/v1$/, /\/blobs\/uploads\//])('and took nothing (%s) is not believed', async (which) => {
    const { seal, tag } = await chain();
    behave(takesNothing(200, which));
    const outcome = await runCli(seal);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('HTTP 200') });
    expect(await runCli(['verify', tag])).toMatchObject({ status: 1 });
  });
});

describe('what can not be attached', () => {
  it.each([400, 404, 405])('for the subject (%i) is named, and can be left out', async (status) => {
    const { seal, tag } = await chain();
    behave(refusesSubject(status));
    const outcome = await runCli(seal);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('the chain statement could not be attached');
    expect(outcome.stderr).toContain('--no-statement');
    await succeeds([...seal, '--no-statement']);
    await succeeds(['verify', tag]);
  });

  it('for tags that stay as they are is named, and can be left out', async () => {
    const { seal, tag } = await chain();
    behave(immutableTags(/^sha256-/));
    const outcome = await runCli(seal);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('--no-statement') });
    await succeeds([...seal, '--no-statement']);
    await succeeds(['verify', tag]);
  });

  it('is no way to link', async () => {
    const { image1, image2 } = await chain();
    behave(refusesSubject(400));
    const outcome = await runCli(['link', image1, `metadata=${image2}`]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain('the chain statement could not be attached');
    expect(outcome.stderr).not.toContain('--no-statement');
  });
});

describe('who is let in', () => {
  it.each([
    ['as it is', ''],
    ['with a newline after its base64', '\n'],
  ])('is whoever shows Basic where a token was too weak (%s)', async (_, end) => {
    const { seal, tag } = await chain();
    behave(basicAfterBearer('user:pw'));
    const auth = `${Buffer.from('user:pw').toString('base64')}${end}`;
    await succeeds(seal, { [proxy.host]: { auth } });
    await succeeds(['verify', tag], { [proxy.host]: { auth } });
    const stranger = await runCli(seal);
    expect(stranger).toMatchObject({ status: 1, stderr: expect.stringContaining('UNAUTHORIZED') });
  });
});

describe('a mount that is refused', () => {
  it.each([200, 204, 400, 401, 403, 404, 405, 416, 500])('by %i becomes a copy', async (status) => {
    const repository = `layered${status}`;
    const image = `${proxy.host}/${repository}@${await pushLayeredImage(`${proxy.host}/${repository}:v1`, 2, 200_000)}`;
    behave(mountAnswer({ status }));
    proxy.log.length = 0;
    const tag = `${proxy.host}/released/${repository}:v1`;
    await succeeds(['seal', image, `metadata=${image}`, '--no-check', '--tag', tag]);
    expect(proxy.log.filter((line) => line.includes('mount='))).toHaveLength(2);
    await succeeds(['unseal', tag]);
    expect(proxy.log.filter((line) => /^PUT .*released.*blobs/.test(line))).toHaveLength(3);
  });
});

describe('what a registry tells', () => {
  it('is shown once', async () => {
    const { tag, seal } = await chain();
    await succeeds(seal);
    behave(warns('299 - "Images expire \\"soon\\"", 299 - "Second", 110 - "stale"'));
    const { stderr } = await succeeds(['verify', tag]);
    expect(stderr).toBe(`warning: ${proxy.host} says: Images expire "soon"\nwarning: ${proxy.host} says: Second\n`);
  });

  it('about when to come back is in the message', async () => {
    const { tag } = await chain();
    behave({ instead: () => ({ status: 429, headers: { 'retry-after': '7200' } }) });
    const outcome = await runCli(['verify', tag]);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('7200 s') });
  });
});
