import { NO_BASE_LABEL } from '@multi-image/tekton-local';
import type { ImageView, PlatformView } from '../judge/observation.ts';

/** What is read of an image's config. */
type Facts = Pick<ImageView, 'labels' | 'env' | 'entrypoint'>;

/** One image of an index. */
export interface IndexChild {
  readonly digest: string;
  /** `linux/arm64`. */
  readonly platform: string;
}

/**
 * The images of an index, without what only describes them (their platform is unknown); undefined for one image.
 *
 * @param manifest A manifest's or an index's JSON. Throws a `SyntaxError` for anything else.
 */
export function childrenOf(manifest: string): readonly IndexChild[] | undefined {
  const { manifests } = JSON.parse(manifest) as {
    manifests?: { digest: string; platform?: { os?: string; architecture?: string; variant?: string } }[];
  };
  return manifests
    ?.map(({ digest, platform = {} }) => ({ digest, ...platform }))
    .filter(({ os }) => os !== undefined && os !== 'unknown')
    .map(({ digest, os, architecture, variant }) => ({
      digest,
      platform: [os, architecture, variant].filter(Boolean).join('/'),
    }));
}

/**
 * What an image's configs say: of an index one for each child, in their order. Where platforms differ, a value tells all of
 * them apart.
 *
 * @param configs The configs' JSON. Throws a `SyntaxError` for anything else.
 */
export function viewOf(
  reference: string,
  digest: string,
  children: readonly IndexChild[] | undefined,
  configs: readonly string[],
): ImageView {
  const facts = configs.map(factsOf);
  if (children === undefined) return { reference, digest, ...(facts[0] ?? { labels: {}, env: {} }) };
  const platforms = children.map(({ platform }, index): PlatformView => {
    const withoutBase = facts[index]?.labels[NO_BASE_LABEL];
    return { platform, ...(withoutBase === undefined ? {} : { withoutBase }) };
  });
  const named = facts.map((entry, index) => ({ platform: platforms[index]?.platform ?? '', ...entry }));
  return {
    reference,
    digest,
    platforms,
    labels: merge(named.map(({ platform, labels }) => [platform, labels])),
    env: merge(named.map(({ platform, env }) => [platform, env])),
    entrypoint: facts[0]?.entrypoint ?? [],
  };
}

/** Nothing could be seen, and why. */
export function unseen(reference: string, problem: string): ImageView {
  return { reference, labels: {}, env: {}, problem };
}

function factsOf(config: string): Facts {
  const { Labels, Env, Entrypoint } = JSON.parse(config).config ?? {};
  return {
    labels: Labels ?? {},
    entrypoint: Entrypoint ?? [],
    env: Object.fromEntries((Env ?? []).map((entry: string) => splitOnce(entry, '='))),
  };
}

/** What all say alike is kept; anything else becomes a text that names each, and equals nothing. */
function merge(all: readonly [string, Readonly<Record<string, string>>][]): Record<string, string> {
  const keys = new Set(all.flatMap(([, values]) => Object.keys(values)));
  return Object.fromEntries(
    [...keys].map((key) => {
      const values = all.map(([, entries]) => entries[key]);
      const same = values.every((value) => value === values[0]);
      if (same) return [key, values[0] ?? ''];
      return [key, all.map(([platform, entries]) => `${platform}: ${entries[key] || 'nothing'}`).join(', ')];
    }),
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
