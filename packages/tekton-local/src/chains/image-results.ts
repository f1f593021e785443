import { type Digest, digestAlgorithm, isDigest, parseReference, type Repository } from '@multi-image/digest-chain/oci';
import type { ParamValue } from '../plan/model.ts';

/** An image that a run says it made. */
export interface ImageResult extends Repository {
  readonly digest: Digest;
}

/**
 * The images in results, by Tekton Chains' type hints: pairs `…IMAGE_URL` and `…IMAGE_DIGEST` of one prefix, `IMAGES`
 * (a list of references with digest), and objects `…ARTIFACT_OUTPUTS` with `uri` and `digest`.
 */
export function imagesInResults(results: Readonly<Record<string, ParamValue>>): ImageResult[] {
  const found: ImageResult[] = [];
  for (const [name, value] of Object.entries(results)) {
    if (name.endsWith('IMAGE_URL') && typeof value === 'string') {
      const digest = results[`${name.slice(0, -'URL'.length)}DIGEST`];
      if (typeof digest === 'string') found.push(...imageOf(value, digest));
    } else if (name === 'IMAGES' && typeof value !== 'object') {
      for (const item of value.split(/[,\n]/)) found.push(...imageOf(item, item.split('@')[1] ?? ''));
    } else if (name.endsWith('ARTIFACT_OUTPUTS') && typeof value === 'object' && !Array.isArray(value)) {
      found.push(...imageOf(value.uri ?? '', value.digest ?? ''));
    }
  }
  return found;
}

/** None where this does not name an image: Chains leaves it out as well. */
function imageOf(url: string, text: string): ImageResult[] {
  const digest = text.trim();
  const name = (url.trim().split('@')[0] ?? '').replace(/^oci:\/\//, '');
  // A tag that names a signed digest has no place for a SHA-512.
  if (!isDigest(digest) || digestAlgorithm(digest) !== 'sha256') return [];
  try {
    const { registry, repository } = parseReference(name);
    // A name without its registry means something else on every machine.
    return name.toLowerCase().startsWith(`${registry}/`) ? [{ registry, repository, digest }] : [];
  } catch {
    return [];
  }
}
