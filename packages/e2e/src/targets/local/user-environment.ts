import { constants } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runtimeFolder } from '@multi-image/kit/runtime-folder';

/** Where podman, buildah and skopeo look for logins if nobody names a file (containers-auth.json(5)). */
function usualAuthFile(runtime: string | undefined): string {
  return runtime ? join(runtime, 'containers/auth.json') : `/run/containers/${process.getuid?.()}/auth.json`;
}

/**
 * What to change in the environment so that podman, buildah and skopeo work for whoever this process is, with that user's
 * logins and in that user's place for what is running, also where TMPDIR is changed afterwards. They need a file of logins
 * that may be read, even if there is none: without XDG_RUNTIME_DIR (su, cron, many CI systems) skopeo looks below a folder
 * that root alone may enter, and fails.
 *
 * @param folder gets an empty file of logins where the user has no other
 */
export async function userEnvironment(
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Partial<Record<'XDG_RUNTIME_DIR' | 'REGISTRY_AUTH_FILE', string | undefined>>> {
  const { XDG_CONFIG_HOME, DOCKER_CONFIG, REGISTRY_AUTH_FILE, HOME } = environment;
  const home = HOME || homedir();
  const runtime = runtimeFolder(environment);
  const changed = runtime === (environment.XDG_RUNTIME_DIR || undefined) ? {} : { XDG_RUNTIME_DIR: runtime };
  const problem = await problemOf(usualAuthFile(runtime), constants.R_OK);
  if (REGISTRY_AUTH_FILE || problem === undefined || problem === 'ENOENT') return changed;
  const others = [
    join(XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ];
  for (const file of others) {
    if ((await problemOf(file, constants.R_OK)) === undefined) return { ...changed, REGISTRY_AUTH_FILE: file };
  }
  const empty = join(folder, 'auth.json');
  await writeFile(empty, '{"auths":{}}\n');
  return { ...changed, REGISTRY_AUTH_FILE: empty };
}

/** Sets variables of this process, or unsets those that are undefined; answers with what they were. */
export function setEnvironment(
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  return before;
}

/** Why a path can't be used so, as the system's code; undefined where it can. */
async function problemOf(path: string, mode: number): Promise<string | undefined> {
  return access(path, mode).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'EACCES',
  );
}
