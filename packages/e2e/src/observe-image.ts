import { createHash } from 'node:crypto';
import { NO_BASE_LABEL } from '@multi-image/tekton-local';
import { run } from './command.ts';
import type { ImageView, PlatformView } from './criteria/observation.ts';

/** What is read of a config. */
type Facts = Pick<ImageView, 'labels' | 'env' | 'entrypoint'>;

/**
 * Looks at an image with skopeo: an eye that is not ours. The digest is computed here, from the manifest's bytes. Of an
 * index, every platform is looked at: where they differ, a label's value tells all of them apart.
 *
 * @param reference `repository:tag` or `repository@digest`
 */
export async function observeImage(reference: string, signal?: AbortSignal): Promise<ImageView> {
  const raw = await inspect(reference, '--raw', signal);
  if (raw.exitCode !== 0) return missing(reference, raw.stderr);
  const digest = `sha256:${createHash('sha256').update(raw.stdoutBytes).digest('hex')}`;
  const children = childrenOf(raw.stdout);
  const repository = reference.replace(/(@sha256:.*|:[^:/]*)$/, '');
  const exact = children === undefined ? [reference] : children.map((child) => `${repository}@${child.digest}`);
  const configs = await Promise.all(exact.map((name) => inspect(name, '--config', signal)));
  const broken = configs.find(({ exitCode }) => exitCode !== 0);
  if (broken !== undefined) return missing(reference, broken.stderr);
  const facts = configs.map(({ stdout }) => factsOf(stdout));
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

function inspect(reference: string, flag: string, signal: AbortSignal | undefined): ReturnType<typeof run> {
  const tls = reference.startsWith('localhost:') ? ['--tls-verify=false'] : [];
  return run('skopeo', ['inspect', ...tls, flag, `docker://${reference}`], { signal, timeout: 60_000 });
}

/** The images of an index, without what only describes them (their platform is unknown); nothing for one image. */
function childrenOf(manifest: string): { digest: string; platform: string }[] | undefined {
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

function missing(reference: string, stderr: string): ImageView {
  return { reference, labels: {}, env: {}, problem: problemOf(stderr) };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** What skopeo means, without its log format. */
function problemOf(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (/manifest unknown|name unknown/.test(last)) return 'no such image';
  return /msg="(.*)"$/.exec(last)?.[1]?.replaceAll('\\"', '"') ?? (last || 'skopeo failed');
}
