import { createHash } from 'node:crypto';
import { run } from './command.ts';
import type { ImageView } from './criteria/observation.ts';

/**
 * Looks at an image with skopeo: an eye that is not ours. The digest is computed here, from the manifest's bytes.
 *
 * @param reference `repository:tag` or `repository@digest`
 */
export async function observeImage(reference: string, signal?: AbortSignal): Promise<ImageView> {
  const tls = reference.startsWith('localhost:') ? ['--tls-verify=false'] : [];
  const inspect = (flag: string) =>
    run('skopeo', ['inspect', ...tls, flag, `docker://${reference}`], { signal, timeout: 60_000 });
  const [raw, config] = await Promise.all([inspect('--raw'), inspect('--config')]);
  for (const { exitCode, stderr } of [raw, config]) {
    if (exitCode !== 0) {
      return { reference, labels: {}, env: {}, problem: problemOf(stderr) };
    }
  }
  const { Labels, Env, Entrypoint } = JSON.parse(config.stdout).config ?? {};
  return {
    reference,
    digest: `sha256:${createHash('sha256').update(raw.stdoutBytes).digest('hex')}`,
    labels: Labels ?? {},
    entrypoint: Entrypoint ?? [],
    env: Object.fromEntries((Env ?? []).map((entry: string) => splitOnce(entry, '='))),
  };
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
