import { formatPlatform, parseReference, type Registry, readImage } from '@multi-image/digest-chain/oci';
import { isCodedError, reasonOf } from '@multi-image/kit/errors';
import type { ImageView } from '../judge/observation.ts';

/** On every image whose base was left out, with the reason: stand-ins/scripts/bases.sh writes it. */
export const NO_BASE_LABEL = 'tekton-local.without-base';

/** An image as the registry has it; of an index, every platform. What can't be read is part of what is seen. */
export async function viewImage(registry: Registry, reference: string): Promise<ImageView> {
  try {
    const { manifest, index, images } = await readImage(registry, parseReference(reference));
    const all = images.map(({ platform, labels, environment }) => ({
      platform: platform === undefined ? 'an unknown platform' : formatPlatform(platform),
      labels: Object.fromEntries(labels),
      env: Object.fromEntries(environment),
    }));
    return {
      reference,
      digest: manifest.digest,
      platforms: index
        ? all.map(({ platform, labels }) => ({ platform, withoutBase: labels[NO_BASE_LABEL] }))
        : undefined,
      labels: merge(all.map(({ platform, labels }) => ({ platform, values: labels }))),
      env: merge(all.map(({ platform, env }) => ({ platform, values: env }))),
      entrypoint: images[0]?.entrypoint ?? [],
    };
  } catch (error) {
    return unseen(reference, codedReasonOf(error));
  }
}

/** Nothing could be seen, and why. */
export function unseen(reference: string, problem: string): ImageView {
  return { reference, labels: {}, env: {}, problem };
}

/** What went wrong, with its code where it has one. */
export function codedReasonOf(error: unknown): string {
  return isCodedError(error) ? `${error.code}: ${error.message}` : reasonOf(error);
}

/** What all say alike is kept; anything else becomes a text that names each, and equals nothing. */
function merge(all: readonly { platform: string; values: Record<string, string> }[]): Record<string, string> {
  const keys = new Set(all.flatMap(({ values }) => Object.keys(values)));
  return Object.fromEntries(
    [...keys].map((key) => {
      const first = all[0]?.values[key];
      if (all.every(({ values }) => values[key] === first)) return [key, first ?? ''];
      return [key, all.map(({ platform, values }) => `${platform}: ${values[key] || 'nothing'}`).join(', ')];
    }),
  );
}
