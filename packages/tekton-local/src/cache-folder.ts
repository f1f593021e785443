import { homedir } from 'node:os';
import { join } from 'node:path';

/** A place for what saves time and may be removed at any time. */
export function cacheFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tekton-local', name);
}
