import { type Digest, isDigest } from '../digest.ts';
import { items, member, textOf } from '../json/decode.ts';
import { type GitSource, normalGitUrl } from './git-source.ts';

/** Results or parameters of a run, by their names. */
export type Values = ReadonlyMap<string, unknown>;

/**
 * The digests of the images that a task says it made, by the results that Chains takes for that (tektoncd/chains,
 * pkg/artifacts, ExtractOCIImagesFromResults): `<prefix>IMAGE_URL` and `<prefix>IMAGE_DIGEST` with one prefix, both with
 * a value; `IMAGES`, references with digests, separated by commas or newlines; objects whose name ends in
 * `ARTIFACT_OUTPUTS`, with `uri` and `digest` and `isBuildArtifact` "true". A result named exactly `IMAGE_DIGEST` says it
 * alone, too: that is what every build task of the catalogs returns; one that merely ends so says nothing.
 */
export function imagesOf(results: Values): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const add = (text: string): void => {
    if (isDigest(text)) found.add(text);
  };
  for (const [name, value] of results) {
    if (name === 'IMAGE_DIGEST' || (name.endsWith('IMAGE_DIGEST') && urlBeside(results, name) !== ''))
      add(trimmed(value));
    else if (name === 'IMAGES') {
      for (const image of trimmed(value).split(/[,\n]/)) add(image.trim().split('@')[1] ?? '');
    } else if (name.endsWith('ARTIFACT_OUTPUTS') && member(value, 'isBuildArtifact') === 'true') {
      if (trimmed(member(value, 'uri')) !== '') add(trimmed(member(value, 'digest')));
    }
  }
  return found;
}

function urlBeside(results: Values, name: string): string {
  return trimmed(results.get(`${name.slice(0, -'DIGEST'.length)}URL`));
}

/** What a task says it cloned, by the pair that Chains takes for that (pkg/chains/formats/slsa/attest). */
export function gitSourceOf(values: Values): GitSource | undefined {
  const url = trimmed(values.get('CHAINS-GIT_URL'));
  const commit = trimmed(values.get('CHAINS-GIT_COMMIT'));
  return url === '' && commit === '' ? undefined : { url: normalGitUrl(url), commit };
}

/** All text in a value: of a string, an array or an object. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return items(value).flatMap(textsOf);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** Older tasks write their results with a newline at the end; Chains takes it away as well. */
function trimmed(value: unknown): string {
  return (textOf(value) ?? '').trim();
}
