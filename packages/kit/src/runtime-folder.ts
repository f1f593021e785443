import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Where podman and buildah of this user have what is running: the session's folder, or without a session (su, cron, many CI
 * systems; a folder that su or sudo left from another user counts as none) the one that podman makes for itself. At its
 * first start podman writes it down for good, so ask before TMPDIR is another. Undefined where root needs none, and where
 * none can be had.
 */
export function runtimeFolder(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { XDG_RUNTIME_DIR: session } = environment;
  const user = process.getuid?.();
  if (user === 0 || user === undefined) return session || undefined;
  if (session && isOf(user, () => statSync(session))) return session;
  const ofSystem = `/run/user/${user}`;
  if (isOf(user, () => lstatSync(ofSystem))) return ofSystem;
  const own = join(tmpdir(), `podman-run-${user}`);
  try {
    mkdirSync(own, { mode: 0o700, recursive: true });
  } catch {
    // Whoever else made something there.
  }
  return isOf(user, () => lstatSync(own)) ? own : undefined;
}

function isOf(user: number, look: () => Stats): boolean {
  try {
    const found = look();
    return found.isDirectory() && found.uid === user && (found.mode & 0o700) === 0o700;
  } catch {
    return false;
  }
}
