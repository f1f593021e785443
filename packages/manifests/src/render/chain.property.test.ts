import { dependenciesOf } from '@multi-image/testing/wiring-rules';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChainConfig } from '../config/schema.ts';
import { chainOf, image } from '../testing/chains.ts';
import { checkDocuments, renderConfig } from '../testing/documents.ts';

/** Chains of up to 12 images: each embeds some of those before it, and any may have platforms, a scanner, no checks. */
const chains: fc.Arbitrary<ChainConfig> = fc
  .array(
    fc.record({
      embeds: fc.uniqueArray(fc.nat({ max: 10 }), { maxLength: 4 }),
      scanner: fc.boolean(),
      platforms: fc.subarray(['linux/x86_64', 'linux/arm64', 'linux/s390x']),
      checks: fc.subarray(['clair-scan', 'clamav-scan'] as const),
      hermetic: fc.boolean(),
      expires: fc.boolean(),
    }),
    { maxLength: 11 },
  )
  .map((others) => {
    const images = others.map(({ embeds, scanner, platforms, checks, hermetic, expires }, index) => {
      const roles = embeds.filter((at) => at <= index).map((at) => `r${at}`);
      return image(`r${index + 1}`, roles, {
        hermetic,
        checks,
        ...(platforms.length > 0 ? { platforms } : {}),
        ...(scanner && roles.length > 0 ? { component: `scan-${index}` } : {}),
        ...(expires ? { pullRequestExpiry: '2w' } : {}),
      });
    });
    return chainOf([image('r0', [], { component: 'app' }), ...images]);
  });

test('any chain without a cycle gives valid documents, built and sealed in the order of its edges', () => {
  fc.assert(
    fc.property(chains, fc.nat(), (chain, seed) => {
      // The order in the config must not matter, but for the primary image.
      const [primary, ...others] = chain.images;
      if (primary === undefined) throw new Error('no images');
      const shuffled = { ...chain, images: [primary, ...rotate(others, seed)] };
      const { pipelines, problems } = checkDocuments(renderConfig(shuffled));
      expect(problems).toEqual([]);

      const tasks = pipelines.get('pipeline/unified-build.yaml')?.spec.tasks ?? [];
      const before = closure(new Map(tasks.map((task) => [task.name, dependenciesOf(task)])));
      const nameOf = (role: string) => `image-${shuffled.images.findIndex((each) => each.role === role) + 1}`;
      const sealed = new Set(chain.images.flatMap(rolesOf));
      const seals = [...sealed].map((role) => `label-${nameOf(role)}`);
      for (const image of chain.images) {
        const { role } = image;
        for (const embedded of rolesOf(image)) {
          expect(before.get(`build-${nameOf(role)}`)).toContain(`build-${nameOf(embedded)}`);
          // A seal names what embeds the image as it is released: after its own seal, where it has one.
          const final = `${sealed.has(role) ? 'label' : 'build'}-${nameOf(role)}`;
          expect(before.get(`label-${nameOf(embedded)}`)).toContain(final);
          expect(before.get(`apply-tags-${nameOf(embedded)}`)).toContain(`apply-tags-${nameOf(role)}`);
        }
        for (const seal of seals) expect(before.get(`apply-tags-${nameOf(role)}`)).toContain(seal);
      }
      expect(
        tasks
          .filter(({ name }) => name.startsWith('label-'))
          .map(({ name }) => name)
          .sort(),
      ).toEqual(seals.sort());
      // Images that have nothing to do with each other wait for nothing of each other.
      for (const { role } of chain.images) {
        const builds = [...(before.get(`build-${nameOf(role)}`) ?? [])].filter((name) => name.startsWith('build-'));
        const needed = new Set([role, ...ancestors(chain, role)].map((each) => `build-${nameOf(each)}`));
        for (const name of builds)
          expect([...needed].some((need) => name === need || name.startsWith(`${need}-linux-`))).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test('however each image is linked, what is latest comes after what links it, and nothing is linked twice', () => {
  const ways = fc.array(fc.constantFrom('label' as const, 'referrer' as const, 'none' as const), {
    minLength: 12,
    maxLength: 12,
  });
  fc.assert(
    fc.property(chains, ways, fc.constantFrom('label' as const, 'referrer' as const), (chain, seals, seal) => {
      const embedded = new Set(chain.images.flatMap(rolesOf));
      const images = chain.images.map((each, at) => (embedded.has(each.role) ? { ...each, seal: seals[at] } : each));
      const isLinked = (role: string) => images.find((each) => each.role === role)?.seal !== 'none';
      fc.pre(images.every((each) => rolesOf(each).length === 0 || rolesOf(each).some(isLinked)));
      const { pipelines, problems } = checkDocuments(renderConfig({ ...chain, images, seal }));
      expect(problems).toEqual([]);
      const tasks = pipelines.get('pipeline/unified-build.yaml')?.spec.tasks ?? [];
      const before = closure(new Map(tasks.map((task) => [task.name, dependenciesOf(task)])));
      const names = new Map(images.map(({ role }, at) => [role, `image-${at + 1}`]));
      for (const each of images) {
        const name = names.get(each.role);
        const labels = tasks.filter((task) => task.name === `label-${name}`);
        expect(labels).toHaveLength(each.seal === 'label' && embedded.has(each.role) ? 1 : 0);
        for (const role of rolesOf(each)) {
          expect(before.get(`apply-tags-${names.get(role)}`)).toContain(`apply-tags-${name}`);
        }
      }
      // One statement for all that hang together, where any of it is linked by one.
      const links = tasks.filter((task) => task.name.startsWith('link-'));
      const stated = images.filter((each) => each.seal === 'referrer' && embedded.has(each.role));
      expect(links.length).toBeLessThanOrEqual(stated.length);
      expect(links.length > 0).toBe(stated.length > 0);
      const linked = links.flatMap((task) => {
        const value = task.params?.find((param) => param.name === 'LINKS')?.value;
        return [
          task.name.slice('link-'.length),
          ...(Array.isArray(value) ? value.map((text) => names.get(text.split('=')[0] ?? '')) : []),
        ];
      });
      expect(new Set(linked).size).toBe(linked.length);
      for (const { role } of stated) expect(linked).toContain(names.get(role));
    }),
    { numRuns: 40 },
  );
});

/** The roles of the images that one embeds. */
function rolesOf({ embeds = [] }: Pick<ChainConfig['images'][number], 'embeds'>): string[] {
  return embeds.map((entry) => (typeof entry === 'string' ? entry : entry.image));
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function ancestors(chain: ChainConfig, role: string): string[] {
  const embeds = chain.images.filter((each) => each.role === role).flatMap(rolesOf);
  return [...new Set([...embeds, ...embeds.flatMap((each) => ancestors(chain, each))])];
}

/** Everything that each task waits for, directly or not. */
function closure(edges: ReadonlyMap<string, readonly string[]>): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  const visit = (name: string): Set<string> => {
    const known = all.get(name);
    if (known !== undefined) return known;
    const found = new Set<string>();
    all.set(name, found);
    for (const next of edges.get(name) ?? []) for (const each of [next, ...visit(next)]) found.add(each);
    return found;
  };
  for (const name of edges.keys()) visit(name);
  return all;
}
