import { buildChain, REVISION, type TestChain } from '@multi-image/testing/chain';
import { startEnvironment, type TestEnvironment } from '@multi-image/testing/environment';
import { FAULTS, type Fault, type FaultProxy, type Injection, startFaultProxy } from '@multi-image/testing/fault-proxy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from './digest.ts';
import { DigestChainError, type ErrorCode } from './errors.ts';
import { extract } from './extract.ts';
import { parseDigestReference, parseReference, parseTagReference } from './reference.ts';
import { createRegistry } from './registry/client.ts';
import type { Registry } from './registry/registry.ts';
import { seal } from './seal.ts';
import { verify } from './verify.ts';

/** What may come of a fault that never passes. One that passes may come to nothing at all. */
const CODES: Readonly<Record<Fault, readonly ErrorCode[]>> = {
  'cut before the request was passed on': ['REGISTRY_UNREACHABLE'],
  'cut before the response': ['REGISTRY_UNREACHABLE'],
  'cut in the response': ['REGISTRY_UNREACHABLE'],
  'cut after the response': [],
  '401 out of nowhere': ['UNAUTHORIZED'],
  '429 with Retry-After': ['REGISTRY_ERROR'],
  '500': ['REGISTRY_ERROR'],
  truncated: ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'JSON_INVALID'],
  'wrong bytes': ['DIGEST_MISMATCH', 'JSON_INVALID', 'RESPONSE_INVALID'],
  'wrong Docker-Content-Digest': ['DIGEST_MISMATCH'],
  'longer than its Content-Length': ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'JSON_INVALID', 'REGISTRY_UNREACHABLE'],
  'wrong Content-Type': ['MEDIA_TYPE_UNSUPPORTED'],
  compressed: ['RESPONSE_INVALID'],
  'slow-loris': ['REGISTRY_TIMEOUT'],
};

let environment: TestEnvironment;
let proxy: FaultProxy;
let chain: TestChain;
const direct = createRegistry();

beforeAll(async () => {
  environment = await startEnvironment();
  proxy = await startFaultProxy(environment.registry.host);
  // Built through the proxy, so that everything names the place where the faults are.
  chain = await buildChain(environment.builder, proxy.host, 'faults');
});
afterAll(async () => {
  await proxy.stop();
  await environment.stop();
});

/** Patient enough for what passes, not for what stays. */
function impatient(fault?: Fault): Registry {
  const timeout = fault === 'slow-loris' ? 250 : undefined;
  return createRegistry({ timeout, retries: 2, retryPause: 5, environment: {} });
}

/** Where the registry can be asked without faults. */
function place(reference: string): ReturnType<typeof parseReference> {
  return { ...parseReference(reference), registry: environment.registry.host };
}

function tagOf(name: string): Promise<Digest | undefined> {
  return direct.headManifest(place(chain.image1), name).then((found) => found?.digest);
}

function sealChain(registry: Registry, tag: string): ReturnType<typeof seal> {
  const linked = { role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) };
  return seal(registry, parseDigestReference(`${chain.image1}@${chain.origin}`), [linked], {
    tag: parseTagReference(`${chain.image1}:${tag}`),
  });
}

interface Outcome<T> {
  readonly value?: T;
  readonly error?: unknown;
}

async function under<T>(
  injection: Injection | undefined,
  work: (registry: Registry) => Promise<T>,
): Promise<Outcome<T>> {
  const registry = impatient(injection?.fault);
  proxy.inject(injection);
  try {
    return { value: await work(registry) };
  } catch (error) {
    return { error };
  } finally {
    registry.close();
  }
}

/** An error of this package, with a code that fits. */
function expectCode(error: unknown, { fault }: Injection, where: string): void {
  expect(error, `${where}: ${error instanceof Error ? error.stack : error}`).toBeInstanceOf(DigestChainError);
  const { code, message, found } = error as DigestChainError;
  // Of a proof it is said what keeps it from holding.
  const reason = code === 'VERIFICATION_FAILED' ? (/: ([A-Z_]+): /.exec(message)?.[1] ?? '') : code;
  expect(CODES[fault], `${where}: ${code}: ${message}; ${found}`).toContain(reason);
}

/** By the work: how many requests it takes. */
const lengths = new Map<string, number>();

/**
 * Does the work with a fault at each of its requests: once, and from there on for ever. All of that takes minutes, so
 * without SLOW=1 it is a sample: other requests for each fault.
 */
async function eachInjection<T>(
  fault: Fault,
  name: string,
  work: (registry: Registry, run: number) => Promise<T>,
  check: (outcome: Outcome<T>, injection: Injection, where: string, run: number) => Promise<void> | void,
): Promise<void> {
  if (!lengths.has(name)) {
    await under(undefined, (registry) => work(registry, 0));
    lengths.set(name, proxy.requests.length);
  }
  const length = lengths.get(name) ?? 0;
  expect(length).toBeGreaterThan(3);
  const step = process.env.SLOW === undefined ? 13 : 1;
  for (let run = 1 + (FAULTS.indexOf(fault) % step); run <= 2 * length; run += step) {
    const injection = { fault, at: Math.floor((run - 1) / 2), forever: run % 2 === 0 };
    const outcome = await under(injection, (registry) => work(registry, run));
    const where = `${fault} ${injection.forever ? 'from' : 'at'} ${injection.at} (${proxy.requests[injection.at]})`;
    proxy.inject();
    await check(outcome, injection, where, run);
  }
}

describe.each(FAULTS)('%s', (fault) => {
  it('leaves the tags as they were, or seals', async () => {
    const { digest: sealed } = await sealChain(direct, 'reference');
    const unsealed = await direct.getManifest(place(chain.image1), `${REVISION}-unsealed`);
    for (const tag of ['latest', 'revision']) await direct.putManifest(place(chain.image1), tag, unsealed);
    await eachInjection(
      fault,
      'seal',
      (registry, run) => sealChain(registry, `${fault.replaceAll(/\W/g, '')}-${run}`),
      async ({ value, error }, injection, where, run) => {
        const written = await tagOf(`${fault.replaceAll(/\W/g, '')}-${run}`);
        expect(await tagOf('latest'), where).toBe(chain.origin);
        if (value !== undefined) expect([value.digest, written], where).toEqual([sealed, sealed]);
        else expectCode(error, injection, where);
        // Where the seal failed and the tag is there, only the answer to the last request of all was lost.
        if (written !== undefined) expect(written, where).toBe(sealed);
      },
    );
    const proof = await verify(direct, parseReference(`${chain.image1}@${sealed}`));
    expect(proof.level).toBe('linked');
  });

  it('proves what is so, or says why not', async () => {
    await sealChain(direct, 'verify');
    const reference = parseReference(`${chain.image1}:verify`);
    const expected = await verify(direct, reference);
    expect(expected.level).toBe('linked');
    await eachInjection(
      fault,
      'verify',
      (registry) => verify(registry, reference),
      ({ value, error }, injection, where) => {
        if (value === undefined) return expectCode(error, injection, where);
        if (value.level === 'linked') return expect(value.links, where).toEqual(expected.links);
        const failed = value.checks.filter((check) => check.status === 'failed').map((check) => check.evidence);
        expect(failed.join('\n'), where).toMatch(new RegExp(`^(?:${CODES[fault].join('|')}|LINK_MISMATCH): `));
      },
    );
  });

  it('extracts the linked image, or says why not', async () => {
    await sealChain(direct, 'extract');
    const reference = parseReference(`${chain.image1}:extract`);
    await eachInjection(
      fault,
      'extract',
      (registry) => extract(registry, reference, { role: 'metadata' }),
      ({ value, error }, injection, where) => {
        if (value === undefined) expectCode(error, injection, where);
        else expect(value, where).toMatchObject({ digest: chain.metadata, url: `${chain.image2}:${REVISION}` });
      },
    );
  });
});

const seals = process.env.SLOW === undefined ? 20 : 100;
it(`gives ${seals} seals of one origin at the same time the same digest`, async () => {
  proxy.inject();
  // A client for each, as so many pipelines would have: none of them knows of the others.
  const clients = Array.from({ length: seals }, () => createRegistry({ concurrency: 2, retries: 8 }));
  const results = await Promise.all(clients.map((client) => sealChain(client, 'parallel')));
  expect(new Set(results.map(({ digest }) => digest)).size).toBe(1);
  expect(await tagOf('parallel')).toBe(results[0]?.digest);
});
