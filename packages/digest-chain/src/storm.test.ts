import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, isDigest } from './digest.ts';
import { OCI_INDEX } from './media-types.ts';
import { createRegistry } from './registry/client.ts';
import { appendReferrer, fallbackTag } from './registry/referrers.ts';
import type { Registry } from './registry/registry.ts';
import { PROFILE_LOGIN, PROFILES, type QuirkProxy, startQuirkProxy } from './testing/profiles.ts';
import { sealDifferent, sealSame } from './testing/storm.ts';

// Many seals at once, of which connections are cut at any byte, at models of products. All of it takes minutes, so without
// SLOW=1 it is a few seals at products that differ in where the statement is listed.

const ALL = process.env.SLOW === '1';
const [DIFFERENT, SAME] = ALL ? [100, 20] : [6, 4];
const NAMES = ALL ? Object.keys(PROFILES) : ['Artifactory', 'Harbor', 'Quay'];

let real: TestRegistry;
let proxy: QuirkProxy;
beforeAll(async () => {
  real = await startTestRegistry();
  proxy = await startQuirkProxy(real.host);
});
afterAll(async () => {
  await proxy?.stop();
  await real?.stop();
});

function clientOf(): Registry {
  const credentials = async () => ({ type: 'basic', ...PROFILE_LOGIN }) as const;
  return createRegistry({ credentials, retryPause: 20 });
}

describe.each(NAMES)('%s', (name) => {
  const rules = PROFILES[name]?.() ?? [];

  it(`publishes ${DIFFERENT} different images whole, or not at all`, async () => {
    expect(await sealDifferent({ proxy, rules, clientOf, seals: DIFFERENT })).toEqual([]);
  });

  it(`loses nothing of ${SAME} seals of the same image into the same tag`, async () => {
    expect(await sealSame({ proxy, rules, clientOf, seals: SAME })).toEqual([]);
  });
});

describe('a storm sees', () => {
  const SEALS = 4;
  const stormOf = (change: (registry: Registry) => Partial<Registry>) => ({
    proxy,
    rules: [],
    seals: SEALS,
    clientOf: () => ({ ...clientOf(), ...change(clientOf()) }),
  });

  it('a statement that others have overwritten', async () => {
    const meet = meetings(SEALS);
    // As the specification has it, and does not look again.
    const hasty = stormOf((registry) => ({
      async putReferrer(repository, manifest) {
        const { subject, ...content } = JSON.parse(Buffer.from(manifest.bytes).toString());
        const { digest } = await registry.putManifest(repository, digestOf(manifest.bytes), manifest);
        const tag = fallbackTag(subject.digest);
        const there = await registry.headManifest(repository, tag);
        const index = there && (await registry.getManifest(repository, tag));
        await meet(subject.digest);
        const descriptor = { ...content, mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
        const bytes = appendReferrer(index?.bytes, JSON.stringify(descriptor));
        await registry.putManifest(repository, tag, { bytes, mediaType: OCI_INDEX });
        return { digest, subjectIndexed: false, listed: true };
      },
    }));
    const faults = await sealSame(hasty);
    expect(faults).toHaveLength(3 * (SEALS - 1));
    for (const fault of faults) expect(fault).toMatch(/^run-\d lost its statement at .*\/image[12]@sha256:/);
  });

  it('a statement that was not attached', async () => {
    const forgetful = stormOf(() => ({
      putReferrer: async (_, { bytes }) => ({ digest: digestOf(bytes), subjectIndexed: false, listed: true }),
    }));
    expect(await sealDifferent(forgetful)).toHaveLength(3 * SEALS);
  });

  it('a tag that names something else than what was sealed', async () => {
    const bytes = Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[]}`);
    const careless = stormOf((registry) => ({
      putManifest: (repository, reference, manifest) =>
        registry.putManifest(repository, reference, isDigest(reference) ? manifest : { bytes, mediaType: OCI_INDEX }),
    }));
    const faults = await sealDifferent(careless);
    expect(faults.filter((fault) => /^run-\d is half published: /.test(fault))).toHaveLength(SEALS);
    expect((await sealSame(careless)).join('\n')).toContain('the tag is half published: ');
  });

  it('a tag that is not there', async () => {
    const lying = stormOf((registry) => ({
      putManifest: async (repository, reference, manifest) =>
        isDigest(reference)
          ? registry.putManifest(repository, reference, manifest)
          : { digest: digestOf(manifest.bytes), subjectIndexed: false },
    }));
    expect(await sealDifferent(lying)).toContain('run-0 said that it is done, and there is no tag');
    expect(await sealSame(lying)).toEqual(['some said that they are done, and there is no tag']);
  });

  it('what fails without a name, and that too much fails', async () => {
    const broken = stormOf(() => ({ getManifest: () => Promise.reject(new TypeError('undefined')) }));
    const faults = await sealDifferent(broken);
    expect(faults).toContain('run-3 failed without a name: TypeError: undefined');
    expect(faults.at(-1)).toMatch(/^4 failed:\nrun-0: /);
    expect((await sealSame(broken)).at(-1)).toMatch(/^all failed:/);
  });
});

/** Lets nobody on before as many have come to the same place; those who come later go on. */
function meetings(number: number): (place: string) => Promise<void> {
  const places = new Map<string, { come: number; readonly all: PromiseWithResolvers<void> }>();
  return (name) => {
    const place = places.get(name) ?? { come: 0, all: Promise.withResolvers<void>() };
    places.set(name, place);
    if (++place.come === number) place.all.resolve();
    return place.all.promise;
  };
}
