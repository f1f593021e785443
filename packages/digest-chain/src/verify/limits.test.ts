import { setImmediate as turn } from 'node:timers/promises';
import { REVISION } from '@multi-image/testing/chain';
import { startTestServer } from '@multi-image/testing/http-server';
import { ONES } from '@multi-image/testing/image';
import { memoryChain } from '@multi-image/testing/memory-chain';
import { memoryRegistry } from '@multi-image/testing/memory-registry';
import { expect, it } from 'vitest';
import { parseReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/registry.ts';
import { withCallOptions } from '../registry/with-call-options.ts';
import { attachStatement } from '../statement/artifact.ts';
import type { Chain } from '../statement/chain.ts';
import { verify } from '../verify.ts';

/** Who is asked for what, and by whose word. */
function watched(registry: Registry): { registry: Registry; asked: { host: string; namedBy: string | undefined }[] } {
  const asked: { host: string; namedBy: string | undefined }[] = [];
  const noted: Registry = {
    ...registry,
    getManifest(repository, reference, call) {
      asked.push({ host: repository.registry, namedBy: call?.namedBy });
      return registry.getManifest(repository, reference, call);
    },
  };
  return { registry: noted, asked };
}

/** A chain by statement of images on many hosts, each embedding the first; what the hosts have is nothing. */
async function manyHosts(registry: Registry): Promise<{ start: string }> {
  const { image1, origin } = await memoryChain(registry, 'app');
  const others = Array.from({ length: 40 }, (_, index) => ({
    role: `r${index}`,
    url: `host-${index}.example/image:1`,
    digest: ONES,
  }));
  const chain: Chain = {
    images: [{ role: 'primary', url: `${image1}:1`, digest: origin }, ...others],
    embeds: others.map(({ role }) => ({ image: role, embedded: 'primary' })),
  };
  const place = { ...parseReference(image1), digest: origin };
  await attachStatement(registry, chain, [{ repository: place, manifest: await registry.getManifest(place, origin) }]);
  return { start: `${image1}@${origin}` };
}

it('goes to one of the hosts that a statement names, and to no other after that failed', async () => {
  const { registry, asked } = watched(memoryRegistry());
  const { start } = await manyHosts(registry);
  asked.length = 0;
  const proof = await verify(registry, parseReference(start));
  expect(proof.level).toBe('none');
  const foreign = asked.filter(({ host }) => host !== 'registry.example');
  expect(foreign).toEqual([{ host: 'host-0.example', namedBy: 'registry.example' }]);
  const unread = proof.checks.filter(({ evidence }) => evidence === 'not read: an image before it failed');
  expect(unread).toHaveLength(3 * 39);
});

it('says by whose word it goes where the caller did not send it', async () => {
  const { registry, asked } = watched(memoryRegistry());
  const chain = await memoryChain(registry, 'app');
  asked.length = 0;
  await verify(registry, parseReference(`${chain.image1}:${REVISION}`));
  expect(asked.every(({ namedBy }) => namedBy === undefined)).toBe(true);
});

it('does not go further in than where it started: a public registry leads to no private host', async () => {
  const inner = await startTestServer(() => ({ status: 404 }));
  try {
    const registry = createRegistry();
    const place = { ...parseReference(`${inner.host}/image:1`) };
    const named = withCallOptions(registry, () => ({ namedBy: 'registry.example' }));
    await expect(named.getManifest(place, '1')).rejects.toMatchObject({ code: 'LINK_REFUSED' });
    expect(inner.requests).toHaveLength(0);
    await expect(registry.getManifest(place, '1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // From a host that is as far in, it does.
    const own = withCallOptions(registry, () => ({ namedBy: 'localhost:5000' }));
    await expect(own.getManifest(place, '1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    await inner.stop();
  }
});

it('ends at its deadline, all calls together, though a registry drips on', async () => {
  let dripping = 0;
  const server = await startTestServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
    const timer = setInterval(() => {
      dripping++;
      response.write(' ');
    }, 1);
    response.once('close', () => clearInterval(timer));
    return undefined;
  });
  try {
    let over: () => void = () => {};
    const asked: number[] = [];
    const clock = {
      now: () => 0,
      sleep: (milliseconds: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          asked.push(milliseconds);
          over = resolve;
          signal?.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    const proof = verify(createRegistry(), parseReference(`${server.host}/image:1`), { deadline: 7_000, clock });
    const ended = expect(proof).rejects.toMatchObject({ code: 'VERIFY_DEADLINE', expected: 'all answers within 7 s' });
    await expect.poll(() => dripping).toBeGreaterThan(3);
    over();
    await ended;
    expect(asked).toEqual([7_000]);
  } finally {
    await server.stop();
  }
});

it('leaves no timer behind once it is done', async () => {
  const registry = memoryRegistry();
  const { image1 } = await memoryChain(registry, 'app');
  let pending = 0;
  const clock = {
    now: () => 0,
    sleep: (_: number, signal?: AbortSignal) => {
      pending++;
      return new Promise<void>((_, reject) =>
        signal?.addEventListener('abort', () => {
          pending--;
          reject(signal.reason);
        }),
      );
    },
  };
  await verify(registry, parseReference(`${image1}:${REVISION}`), { clock });
  await turn();
  expect(pending).toBe(0);
});
