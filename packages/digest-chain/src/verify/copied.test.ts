import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { command, hasCommand } from '@multi-image/testing/command';
import { pushChain } from '@multi-image/testing/pushed-chain';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { link } from '../link.ts';
import { type DigestReference, parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { Repository } from '../registry/registry.ts';
import { seal } from '../seal.ts';
import { discoverStatements } from '../statement/discover.ts';
import { formatStatement } from '../statement/statement.ts';
import { type Verification, verify } from '../verify.ts';

// A chain that was released to another registry: labels and environment still name the one that it was built in.

let built: TestRegistry;
let released: TestRegistry;
const registry = createRegistry({ retries: 0 });

beforeAll(async () => {
  [built, released] = await Promise.all([startTestRegistry(), startTestRegistry()]);
});
afterAll(async () => {
  await Promise.all([built.stop(), released.stop()]);
});

const linkedOf = ({ image2, metadata }: TestChain) => ({
  role: 'metadata',
  image: parseDigestReference(`${image2}:${REVISION}@${metadata}`),
});

const moved = (reference: string): string => reference.replace(built.host, `${released.host}/mirror`);

async function copy(reference: string): Promise<void> {
  const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'];
  await command('skopeo', ['copy', '-q', ...flags, `docker://${reference}`, `docker://${moved(reference)}`]);
}

/** Every image and every tag of a repository that was not copied is gone. */
async function remove(reference: string): Promise<void> {
  const place = parseReference(reference);
  const { digest } = await registry.getManifest(place, place.digest ?? place.tag ?? '');
  const answer = await fetch(`http://${place.registry}/v2/${place.repository}/manifests/${digest}`, {
    method: 'DELETE',
  });
  expect(answer.status).toBe(202);
}

function failures({ checks }: Verification): string[] {
  return checks.filter(({ status }) => status === 'failed').map(({ id }) => id);
}

const metadataAt = (text: string): ReadonlyMap<string, Repository> => new Map([['metadata', parseReference(text)]]);

describe.skipIf(!hasCommand('skopeo'))('verify of a chain that skopeo copied', () => {
  it.each([
    ['image', {}],
    ['index', { platforms: ['linux/amd64', 'linux/arm64'] }],
  ])('holds for a sealed %s', async (name, options) => {
    const chain = await pushChain(built.host, `sealed-${name}`, options);
    const sealed = `${chain.image1}:${REVISION}`;
    await seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linkedOf(chain)], {
      tag: parseTagReference(sealed),
    });
    await copy(sealed);
    await copy(`${chain.image2}:${REVISION}`);
    const start = parseReference(moved(sealed));
    // As long as the other image is still where it was built, that is where it is read.
    expect(await verify(registry, start)).toMatchObject({ level: 'linked', origin: chain.origin });

    await remove(`${chain.image2}:${REVISION}`);
    const lost = await verify(registry, start);
    expect(lost.level).toBe('none');
    expect(failures(lost)).toContain('linked-image-exists');
    const proof = await verify(registry, start, { at: metadataAt(moved(chain.image2)) });
    expect(proof).toMatchObject({ level: 'linked', origin: chain.origin });
    expect(proof.checks.find(({ id }) => id === 'linked-image-exists')?.evidence).toContain(moved(chain.image2));
    expect(proof.checks.find(({ id }) => id === 'embeds-origin')?.evidence).toContain(
      `${chain.image1}@${chain.origin}`,
    );
    // Another image there does not do.
    const other = await verify(registry, start, { at: metadataAt(moved(chain.image1)) });
    expect(failures(other)).toContain('linked-image-exists');
  });

  it('holds from the origin, beside which the sealed image was copied', async () => {
    const chain = await pushChain(built.host, 'origin');
    const origin = parseDigestReference(`${chain.image1}@${chain.origin}`);
    await seal(registry, origin, [linkedOf(chain)], { tag: parseTagReference(`${chain.image1}:${REVISION}`) });
    for (const tag of [
      `${chain.image1}:${REVISION}-unsealed`,
      `${chain.image1}:${REVISION}`,
      `${chain.image2}:${REVISION}`,
    ]) {
      await copy(tag);
    }
    const start = parseReference(moved(`${chain.image1}:${REVISION}-unsealed`));
    await copyReferrers(origin, start);
    await remove(`${chain.image1}:${REVISION}`);
    const proof = await verify(registry, start, { at: metadataAt(moved(chain.image2)) });
    expect(proof).toMatchObject({ level: 'linked', origin: chain.origin });
  });

  it('holds for images that are linked by statement', async () => {
    const chain = await pushChain(built.host, 'linked');
    const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
    await link(registry, image, [linkedOf(chain)], { tag: parseTagReference(`${chain.image1}:${REVISION}`) });
    await copy(`${chain.image1}:${REVISION}`);
    await copy(`${chain.image2}:${REVISION}`);
    const start = parseReference(moved(`${chain.image1}:${REVISION}`));
    expect((await verify(registry, start)).level).toBe('none');
    await copyReferrers(image, start);
    await remove(`${chain.image2}:${REVISION}`);
    expect(failures(await verify(registry, start))).toContain('linked-image-exists');
    const proof = await verify(registry, start, { at: metadataAt(moved(chain.image2)) });
    expect(proof).toMatchObject({ level: 'linked', origin: chain.origin });
  });
});

// The table in docs/konflux.md, "What copies take along".
describe('what is copied of a chain that is linked by a statement', () => {
  const http = '--src-tls-verify=false --dest-tls-verify=false'.split(' ');
  const tools: readonly (readonly [string, (from: string, to: string) => readonly string[], boolean])[] = [
    ['skopeo', (from, to) => ['copy', '-q', ...http, `docker://${from}`, `docker://${to}`], false],
    ['crane', (from, to) => ['copy', '--insecure', from, to], false],
    ['cosign', (from, to) => ['copy', '--allow-http-registry', from, to], false],
    ['oras', (from, to) => ['cp', '-r', '--from-plain-http', '--to-plain-http', from, to], true],
  ];
  it.each(tools.filter(([tool]) => hasCommand(tool)))('by %s', async (tool, args, travels) => {
    const chain = await pushChain(built.host, `copied-by-${tool}`);
    const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
    await link(registry, image, [linkedOf(chain)], { tag: parseTagReference(`${chain.image1}:${REVISION}`) });
    const [{ chain: stated } = never()] = (await discoverStatements(registry, image, image.digest)).statements;
    for (const from of [chain.image1, chain.image2].map((name) => `${name}:${REVISION}`)) {
      await command(tool, args(from, moved(from)));
    }
    const start = parseReference(moved(`${chain.image1}:${REVISION}`));
    const at = metadataAt(moved(chain.image2));
    expect((await verify(registry, start, { at })).level).toBe(travels ? 'linked' : 'none');
    expect((await verify(registry, start, { at, statement: formatStatement(stated) })).level).toBe('linked');
  });
});

function never(): never {
  throw new Error('no statement');
}

async function copyReferrers(from: DigestReference, to: Repository): Promise<void> {
  for (const { digest } of await registry.listReferrers(from, from.digest)) {
    const artifact = await registry.getManifest(from, digest);
    const { config, layers } = JSON.parse(Buffer.from(artifact.bytes).toString());
    for (const blob of [config, ...layers]) await registry.copyBlob(blob, from, to);
    await registry.putReferrer(to, artifact);
  }
}
