import { createHash } from 'node:crypto';
import { run } from '@multi-image/kit/commands';
import type { ImageView } from '../judge/observation.ts';
import { childrenOf, unseen, viewOf } from './image-facts.ts';

/**
 * Looks at an image with skopeo: an eye that is not ours. The digest is computed here, from the manifest's bytes. Of an
 * index, every platform is looked at.
 *
 * @param reference `repository:tag` or `repository@digest`
 */
export async function observeImage(reference: string, signal?: AbortSignal): Promise<ImageView> {
  const raw = await inspect(reference, '--raw', signal);
  if (raw.exitCode !== 0) return unseen(reference, problemOf(raw.stderr));
  const digest = `sha256:${createHash('sha256').update(raw.stdoutBytes).digest('hex')}`;
  const children = childrenOf(raw.stdout);
  const repository = reference.replace(/(@sha256:.*|:[^:/]*)$/, '');
  const exact = children === undefined ? [reference] : children.map((child) => `${repository}@${child.digest}`);
  const configs = await Promise.all(exact.map((name) => inspect(name, '--config', signal)));
  const broken = configs.find(({ exitCode }) => exitCode !== 0);
  if (broken !== undefined) return unseen(reference, problemOf(broken.stderr));
  return viewOf(
    reference,
    digest,
    children,
    configs.map(({ stdout }) => stdout),
  );
}

function inspect(reference: string, flag: string, signal: AbortSignal | undefined): ReturnType<typeof run> {
  const tls = reference.startsWith('localhost:') ? ['--tls-verify=false'] : [];
  return run('skopeo', ['inspect', ...tls, flag, `docker://${reference}`], { signal, timeout: 60_000 });
}

/** What skopeo means, without its log format. */
function problemOf(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (/manifest unknown|name unknown/.test(last)) return 'no such image';
  return /msg="(.*)"$/.exec(last)?.[1]?.replaceAll('\\"', '"') ?? (last || 'skopeo failed');
}
