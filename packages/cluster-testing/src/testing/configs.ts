import type { ChainConfig, ImageConfig } from '@multi-image/manifests';
import fc from 'fast-check';

const CHECKS = ['clair-scan', 'clamav-scan', 'deprecated-image-check', 'rpms-signature-scan'] as const;
const PLATFORMS = ['linux/x86_64', 'linux/arm64', 'linux/s390x'];

/** An optional field: there or not. */
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

const image = fc.record({
  embeds: fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 3 }),
  scanner: fc.boolean(),
  platforms: maybe(fc.subarray(PLATFORMS, { minLength: 1 })),
  checks: maybe(fc.subarray([...CHECKS])),
  hermetic: maybe(fc.boolean()),
  seal: maybe(fc.constantFrom('label' as const, 'referrer' as const)),
  buildArgs: maybe(
    fc.constantFrom<Record<string, string>>({ VERSION: '1.0' }, { no: 'yes', _: '0x1f' }, { TEXT: 'a: "b" #c' }),
  ),
  pullRequestExpiry: maybe(fc.constantFrom('12h', '5d', '2w')),
  prefetch: maybe(
    fc.constantFrom<NonNullable<ImageConfig['prefetch']>>(
      [{ type: 'gomod' }],
      [{ type: 'npm', path: 'web/app' }, { type: 'pip' }],
    ),
  ),
  serviceAccount: maybe(fc.constant('builder')),
});

/** Right configs of chains of up to seven images, with what a config may say beside them. */
export const configs: fc.Arbitrary<ChainConfig> = fc
  .record({
    images: fc.array(image, { minLength: 1, maxLength: 6 }),
    chain: fc.record({
      displayName: maybe(fc.constantFrom('no', 'A "chain": of # images', '1e3')),
      labelPrefix: maybe(fc.constant('com.example.chain')),
      seal: maybe(fc.constantFrom('label' as const, 'referrer' as const)),
      imageFormat: maybe(fc.constantFrom('oci' as const, 'docker' as const)),
      pullRequestExpiry: maybe(fc.constant('3d')),
      visibility: maybe(fc.constantFrom('public' as const, 'private' as const)),
      timeouts: maybe(fc.constant({ build: '90m', checks: '2h' })),
      checks: maybe(fc.subarray([...CHECKS])),
    }),
  })
  .map(({ images, chain }) => {
    const linksOf = images.map(({ embeds }, index) => [...new Set(embeds.map((at) => Math.min(at, index)))]);
    const others = images.map(({ embeds: _, scanner, seal, ...fields }, index): ImageConfig => {
      const roles = linksOf[index]?.map((at) => `r${at}`) ?? [];
      return {
        ...fields,
        role: `r${index + 1}`,
        repository: `image-${index + 1}`,
        containerfile: `r${index + 1}/Containerfile`,
        embeds: roles,
        // Only what others embed can be linked to them.
        seal: linksOf.some((links) => links.includes(index + 1)) ? seal : undefined,
        component: scanner && roles.length > 0 ? `scan-${index}` : undefined,
      };
    });
    return {
      application: 'chain',
      namespace: 'tenant',
      git: { url: 'https://git.example/org/chain' },
      registry: 'quay.io/org',
      ...chain,
      images: [{ role: 'r0', component: 'app', repository: 'image-0', containerfile: 'r0/Containerfile' }, ...others],
    };
  });
