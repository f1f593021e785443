import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startForTest } from '@multi-image/testing/child';
import type { Report } from '../report/report.ts';
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

/** Starts `--target tenant` with reports of all kinds. */
export function startTenantCommand(
  world: TenantWorld,
  tenant: Tenant,
  quay: QuayProxy,
  ...args: string[]
): TenantCommand {
  const cli = resolve(import.meta.dirname, '../cli.ts');
  const { KUBECONFIG: _, ...environment } = process.env;
  const place = join(world.folder, `report-${count++}`);
  const named = { report: `${place}.json`, html: `${place}.html`, junit: `${place}.xml`, state: tenant.stateFile };
  const options = Object.entries(named).flatMap(([name, file]) => [`--${name}`, file]);
  const target = ['--target', 'tenant', '--config', world.config, '--kubeconfig', tenant.kubeconfig];
  const child = startForTest(process.execPath, [cli, ...target, ...options, ...args], {
    env: {
      ...environment,
      ...quay.environment,
      NO_PROXY: '',
      XDG_STATE_HOME: world.folder,
      REGISTRY_AUTH_FILE: join(world.folder, 'auth.json'),
      CI: '1',
    },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (said.stdout += chunk));
  child.stderr.on('data', (chunk) => (said.stderr += chunk));
  const end = async (): Promise<CommandEnd> => {
    const [exitCode, signal] = await once(child, 'close');
    const read = async (file: string): Promise<string> => (existsSync(file) ? readFile(file, 'utf8') : '');
    const files = {
      report: await read(named.report),
      html: await read(named.html),
      junit: await read(named.junit),
      state: await read(named.state),
    };
    const report: Report | undefined = files.report === '' ? undefined : JSON.parse(files.report);
    return { exitCode, signal, ...said, report, files };
  };
  return { child, ended: end() };
}
