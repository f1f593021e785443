import { parseReference } from '@multi-image/digest-chain';
import { type ChainPlan, isPlaceholder, type LoadedConfig, readRemote, retarget } from '@multi-image/manifests';
import { E2eError } from '../../../errors.ts';

/**
 * The chain in the registry, the repository and the namespace that were asked for. Where the config's git url is still a
 * placeholder, the remote `origin` is meant. Throws `USAGE`.
 *
 * @param imageRegistry Registry and organisation, in place of the config's.
 */
export async function whereToBuild(
  { chain, root }: LoadedConfig,
  imageRegistry: string | undefined,
  gitUrl: string | undefined,
  namespace: string,
): Promise<ChainPlan> {
  if (imageRegistry !== undefined) {
    try {
      const { tag, digest } = parseReference(`${imageRegistry}/image`);
      if (tag !== undefined || digest !== undefined) throw new RangeError('a tag or digest');
    } catch (cause) {
      throw new E2eError('USAGE', 'not a place for images', {
        expected: '--registry with host and path, such as ghcr.io/me or registry.svc:5000',
        found: imageRegistry,
        cause,
      });
    }
  }
  if (gitUrl !== undefined && !isGitUrl(gitUrl)) {
    throw new E2eError('USAGE', 'not the URL of a git repository', {
      expected: '--git-url with https://host/path, without credentials (--git-secret names a Secret that has some)',
      found: URL.parse(gitUrl)?.host ?? 'no URL',
    });
  }
  const remote = isPlaceholder(chain.gitUrl) ? await readRemote(root) : undefined;
  return retarget(chain, { registry: imageRegistry, gitUrl: gitUrl ?? remote, namespace });
}

/** Text that a cluster can fetch from, that gives nothing away, and that nobody substitutes anything in. */
function isGitUrl(text: string): boolean {
  const url = URL.parse(text);
  const isFree = url !== null && url.password === '' && (url.username === '' || url.protocol === 'ssh:');
  return isFree && /^(?:https?|ssh|git):\/\/[^\s{}$()]+$/.test(text);
}
