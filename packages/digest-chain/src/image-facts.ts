import { type Platform, readPlatform } from './descriptor.ts';
import { decodeValue, items } from './json/decode.ts';
import { field, type JsonValue, textIn } from './json/scan.ts';
import { locateLabels, readEnvironment } from './seal/place.ts';

/** What a config says about its image, as text from outside: nothing here is validated. */
export interface ImageFacts {
  readonly labels: ReadonlyMap<string, string>;
  /** In order; names may repeat. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** The git commit that the image says it was built from. */
  readonly revision: string | undefined;
  /** What all its labels name that name a commit, each once: several contradict each other. */
  readonly revisions: readonly string[];
  /** What is run; none where the config names nothing. */
  readonly entrypoint: readonly string[];
  /** What it runs on. */
  readonly platform: Platform | undefined;
}

/** Reads labels, environment and revision from an image config. */
export function readImageFacts(config: Uint8Array): ImageFacts {
  const place = locateLabels(config);
  const read = (value: JsonValue | undefined) => value && decodeValue(config, value);
  const labels = new Map(place.labels.map(({ key, value }) => [key, textIn(config, value)]));
  // vcs-ref is what images had before image-spec's annotations named it.
  const named = ['org.opencontainers.image.revision', 'vcs-ref'].map((label) => labels.get(label) || undefined);
  const revisions = [...new Set(named.filter((revision) => revision !== undefined))];
  return {
    labels,
    environment: readEnvironment(config, place),
    entrypoint: items(read(field(place.config, 'Entrypoint'))).filter((word) => typeof word === 'string'),
    platform: readPlatform({
      os: read(field(place.root, 'os')),
      architecture: read(field(place.root, 'architecture')),
      variant: read(field(place.root, 'variant')),
    }),
    revision: revisions[0],
    revisions,
  };
}
