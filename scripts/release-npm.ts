import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOrThrow } from '@multi-image/kit/commands';
import { freePort } from '@multi-image/kit/free-port';

const TOOLS = resolve(import.meta.dirname, 'release-tools/package.json');

/** The folder in which the tools of a release are installed, by npm and once for each list of them. */
export async function installTools(cache: string): Promise<string> {
  const wanted = readFileSync(TOOLS, 'utf8');
  const manifest = join(cache, 'package.json');
  const bin = join(cache, 'node_modules/.bin');
  if (existsSync(bin) && readFileSync(manifest, 'utf8') === wanted) return bin;
  mkdirSync(cache, { recursive: true });
  writeFileSync(manifest, wanted);
  await runOrThrow('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], {
    cwd: cache,
  });
  return bin;
}

/** A registry of npm packages on loopback: what was published to it, and everything else from where npm gets it. */
export interface LocalNpm {
  readonly url: string;
  /** The npm configuration with which one may publish there. */
  readonly userconfig: string;
  stop(): Promise<void>;
}

export async function startNpmRegistry(bin: string, folder: string, uplink: string): Promise<LocalNpm> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: -1 } },
    uplinks: { npm: { url: uplink, timeout: '60s', maxage: '1d' } },
    packages: {
      '@multi-image/*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'npm' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'error' },
  };
  mkdirSync(folder, { recursive: true });
  // JSON is YAML.
  writeFileSync(join(folder, 'verdaccio.yaml'), JSON.stringify(config));
  const userconfig = join(folder, 'npmrc');
  writeFileSync(userconfig, `registry=${url}\n//127.0.0.1:${port}/:_authToken=nobody\naudit=false\nfund=false\n`);
  const child: ChildProcess = spawn(
    process.execPath,
    [join(bin, 'verdaccio'), '--config', join(folder, 'verdaccio.yaml'), '--listen', `127.0.0.1:${port}`],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_NO_WARNINGS: '1' } },
  );
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await answers(`${url}-/ping`))) await sleep(100);
  return {
    url,
    userconfig,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
