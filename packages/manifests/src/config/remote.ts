import { run } from '@multi-image/kit/commands';

/** The https URL of the remote origin; undefined where there is none, or one that is no such URL. */
export async function readRemote(folder: string): Promise<string | undefined> {
  const { stdout } = await run('git', ['remote', 'get-url', 'origin'], { cwd: folder }).catch(() => ({ stdout: '' }));
  const [, host, path] =
    /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/(?:[^@/]*@)?|[^@/:]+@)([A-Za-z0-9.-]+)[:/](.+?)(?:\.git)?\/?$/.exec(
      stdout.trim(),
    ) ?? [];
  return host === undefined || path === undefined ? undefined : `https://${host}/${path}`;
}
