import { runOrThrow } from '@multi-image/kit/commands';
import type { Source } from './artifact.ts';
import { BundlesError } from './errors.ts';

/** What of the repository gets into what is published. */
const PUBLISHED = [
  'packages/digest-chain',
  'packages/kit',
  'packages/manifests',
  'packages/policy/rego',
  'pnpm-lock.yaml',
];

/**
 * The commit that is checked out. Throws `NOT_A_COMMIT` where what would be published is no commit's: it would carry the
 * name of one that does not have it.
 *
 * @param url Where others find the repository.
 */
export async function readSource(root: string, url: string): Promise<Source> {
  const git = async (...args: string[]): Promise<string> => {
    try {
      return (await runOrThrow('git', args, { cwd: root })).stdout.trim();
    } catch (cause) {
      const expected = 'a clone with a commit';
      throw new BundlesError('NOT_A_COMMIT', `git can't say what is checked out in ${root}`, { expected, cause });
    }
  };
  const changed = await git('status', '--porcelain', '--', ...PUBLISHED);
  if (changed !== '') {
    throw new BundlesError('NOT_A_COMMIT', 'what would be published is not what the commit has', {
      expected: 'no changes',
      found: changed.split('\n').slice(0, 5).join(', '),
      hint: 'commit first',
    });
  }
  const [revision = '', committed = ''] = (await git('log', '-1', '--format=%H %cI')).split(' ');
  return { url, revision, committed: new Date(committed).toISOString().replace('.000Z', 'Z') };
}
