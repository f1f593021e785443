import { execFileSync } from 'node:child_process';

/** The https URL of the remote origin; undefined where there is none, or one that is no such URL. */
export function readRemote(folder: string): string | undefined {
  let url: string;
  try {
    url = execFileSync('git', ['remote', 'get-url', 'origin'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
  const [, host, path] =
    /^(?:https:\/\/(?:[^@/]*@)?|ssh:\/\/(?:[^@/]*@)?|[^@/:]+@)([A-Za-z0-9.-]+)[:/](.+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return host === undefined || path === undefined ? undefined : `https://${host}/${path}`;
}
