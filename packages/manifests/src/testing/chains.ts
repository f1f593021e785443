import type { ChainConfig, ImageConfig } from '../config/schema.ts';

/** A right config with these images, and other fields changed. */
export function chainOf(images: readonly ImageConfig[], others: Partial<ChainConfig> = {}): ChainConfig {
  return {
    application: 'chain',
    namespace: 'tenant',
    git: { url: 'https://git.example/org/chain' },
    registry: 'quay.io/org',
    images: [...images],
    ...others,
  };
}

/** An image that needs nothing said but its role and what it embeds. */
export function image(role: string, embeds: readonly string[] = [], others: Partial<ImageConfig> = {}): ImageConfig {
  return { role, repository: role, containerfile: `${role}/Containerfile`, embeds: [...embeds], ...others };
}

export const TWO: ChainConfig = chainOf([
  image('primary', [], { component: 'app' }),
  image('metadata', ['primary'], { component: 'metadata-scanner' }),
]);
