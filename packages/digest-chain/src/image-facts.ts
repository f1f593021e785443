import { decodeString } from './json/scan.ts';
import { readEnvironment } from './seal/embeds.ts';
import { locateLabels } from './seal/place.ts';

/** What a config says about its image, as text from outside: nothing here is validated. */
export interface ImageFacts {
  readonly labels: ReadonlyMap<string, string>;
  /** In order; names may repeat. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** The git commit that the image says it was built from. */
  readonly revision: string | undefined;
}

/** Reads labels, environment and revision from an image config. */
export function readImageFacts(config: Uint8Array): ImageFacts {
  const place = locateLabels(config);
  const labels = new Map(
    place.labels.map(({ key, value }) => [key, value.type === 'string' ? decodeString(config, value) : '']),
  );
  return {
    labels,
    environment: readEnvironment(config, place),
    // vcs-ref is what images had before image-spec's annotations named it.
    revision: labels.get('org.opencontainers.image.revision') || labels.get('vcs-ref') || undefined,
  };
}
