import type { Digest } from '@multi-image/digest-chain/oci';
import type { Builder, BuildOptions } from './builder.ts';

export const REVISION = '0123456789abcdef0123456789abcdef01234567';

/** A chain as a pipeline builds it: Image 1, and Image 2 that embeds it. */
export interface TestChain {
  /** `host/name` of each image. */
  readonly image1: string;
  readonly image2: string;
  readonly origin: Digest;
  readonly metadata: Digest;
}

/** Builds both images of a chain in two repositories of their own. */
export async function buildChain(
  builder: Builder,
  host: string,
  name: string,
  options: BuildOptions & { revision2?: string; embedded?: string; lines?: string[] } = {},
): Promise<TestChain> {
  const image1 = `${host}/${name}/image1`;
  const image2 = `${host}/${name}/image2`;
  const containerfile = `FROM scratch\nCOPY hello /${name}\nLABEL org.opencontainers.image.revision=${REVISION}\n`;
  const origin = await builder.build(`${image1}:${REVISION}-unsealed`, containerfile, options);
  const embedded = options.embedded ?? origin;
  const metadata = await builder.build(
    `${image2}:${REVISION}`,
    [
      'FROM scratch',
      'COPY hello /',
      `ENV IMAGE1_DIGEST=${embedded} IMAGE1_URL=${image1}@${embedded}`,
      `LABEL io.konflux.poc.primary-image.digest=${embedded} io.konflux.poc.primary-image.url=${image1}@${embedded}`,
      `LABEL org.opencontainers.image.revision=${options.revision2 ?? REVISION}`,
      ...(options.lines ?? []),
      '',
    ].join('\n'),
    options,
  );
  return { image1, image2, origin, metadata };
}
