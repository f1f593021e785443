import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startForTest } from '@multi-image/testing/child';
import type { Report } from '../report/report.ts';
import { e2eHere } from './e2e-here.ts';
import type { QuayProxy } from './quay-proxy.ts';
import type { Tenant, TenantWorld } from './tenant.ts';

/** The command itself, as people run it, in a process of its own. */
export interface TenantCommand {
  child: ChildProcess;
  /** Resolves when it ended, however that was. */
  ended: Promise<CommandEnd>;
}

export interface CommandEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  report: Report | undefined;
  /** All that it wrote into files, by what it is. */
  files: Readonly<Record<'report' | 'html' | 'junit' | 'state', string>>;
}

let count = 0;

/** The arguments of `--target tenant` with reports of all kinds, its environment, and how these are read when it ended. */
function commandOf(world: TenantWorld, tenant: Tenant, quay: QuayProxy, more: readonly string[]) {
  const place = join(world.folder, `report-${count++}`);
  const named = { report: `${place}.json`, html: `${place}.html`, junit: `${place}.xml`, state: tenant.stateFile };
  const options = Object.entries(named).flatMap(([name, file]) => [`--${name}`, file]);
  const target = ['--target', 'tenant', '--config', world.config, '--kubeconfig', tenant.kubeconfig];
  const read = async (file: string): Promise<string> => (existsSync(file) ? readFile(file, 'utf8') : '');
  return {
    args: [...target, ...options, ...more],
    environment: {
      ...quay.environment,
      KUBECONFIG: undefined,
      NO_PROXY: '',
      XDG_STATE_HOME: world.folder,
      REGISTRY_AUTH_FILE: join(world.folder, 'auth.json'),
      CI: '1',
    },
    async written(): Promise<Pick<CommandEnd, 'report' | 'files'>> {
      const files = {
        report: await read(named.report),
        html: await read(named.html),
        junit: await read(named.junit),
        state: await read(named.state),
      };
      return { report: files.report === '' ? undefined : JSON.parse(files.report), files };
    },
  };
}

/** Starts `--target tenant` with reports of all kinds, in a process that can be killed. */
export function startTenantCommand(
  world: TenantWorld,
  tenant: Tenant,
  quay: QuayProxy,
  ...more: string[]
): TenantCommand {
  const { args, environment, written } = commandOf(world, tenant, quay, more);
  const cli = resolve(import.meta.dirname, '../cli.ts');
  const child = startForTest(process.execPath, [cli, ...args], { env: { ...process.env, ...environment } });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (said.stdout += chunk));
  child.stderr.on('data', (chunk) => (said.stderr += chunk));
  const end = async (): Promise<CommandEnd> => {
    const [exitCode, signal] = await once(child, 'close');
    return { exitCode, signal, ...said, ...(await written()) };
  };
  return { child, ended: end() };
}

/** The same in this process: a process of its own takes four times as long. */
export async function runTenantCommand(
  world: TenantWorld,
  tenant: Tenant,
  quay: QuayProxy,
  ...more: string[]
): Promise<CommandEnd> {
  const { args, environment, written } = commandOf(world, tenant, quay, more);
  // A process reads its variable for them when it starts.
  setDefaultCACertificates([
    ...getCACertificates('default'),
    readFileSync(quay.environment.NODE_EXTRA_CA_CERTS, 'utf8'),
  ]);
  const { status, ...said } = await e2eHere(args, environment);
  return { exitCode: status, signal: null, ...said, ...(await written()) };
}
