import { parseReference, repositoryName } from '../registry/reference.ts';
import type { ParamValue } from '../stand-in.ts';

/** An image that a run says it made. */
export interface ImageResult {
  /** Repository, without tag. */
  repository: string;
  digest: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * The images in results, by Tekton Chains' type hints: pairs `…IMAGE_URL` and `…IMAGE_DIGEST` of one prefix, `IMAGES`
 * (a list of references with digest), and objects `…ARTIFACT_OUTPUTS` with `uri` and `digest`.
 */
export function imagesInResults(results: Readonly<Record<string, ParamValue>>): ImageResult[] {
  const found = new Map<string, ImageResult>();
  const add = (url: string, digest: string): void => {
    const text = digest.trim();
    if (!DIGEST.test(text)) return;
    try {
      const repository = repositoryName(parseReference((url.trim().split('@')[0] ?? '').replace(/^oci:\/\//, '')));
      found.set(`${repository}@${text}`, { repository, digest: text });
    } catch {
      // Not the name of an image: Chains leaves it out as well.
    }
  };
  for (const [name, value] of Object.entries(results)) {
    if (name.endsWith('IMAGE_URL') && typeof value === 'string') {
      const digest = results[`${name.slice(0, -'URL'.length)}DIGEST`];
      if (typeof digest === 'string') add(value, digest);
    } else if (name === 'IMAGES' && typeof value !== 'object') {
      for (const item of value.split(/[,\n]/)) add(item, item.split('@')[1] ?? '');
    } else if (name.endsWith('ARTIFACT_OUTPUTS') && typeof value === 'object' && !Array.isArray(value)) {
      add(value.uri ?? '', value.digest ?? '');
    }
  }
  return [...found.values()];
}
