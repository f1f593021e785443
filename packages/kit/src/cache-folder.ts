import { homedir } from 'node:os';
import { join } from 'node:path';

/** A place of a program for what saves time and may be removed at any time. */
export function cacheFolder(program: string, name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), program, name);
}
