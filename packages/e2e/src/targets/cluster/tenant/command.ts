import type { Progress } from '@multi-image/kit/progress';
import { E2eError } from '../../../errors.ts';
import { readKeyFiles } from '../../../look/key-files.ts';
import type { Report } from '../../../report/report.ts';
import { ask } from '../ask.ts';
import { parseTimeouts } from '../timeouts.ts';
import { cleanUp } from './cleanup.ts';
import { runTenant } from './tenant-run.ts';

export interface TenantValues {
  config: string;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  commit?: string | undefined;
  'dry-run': boolean;
  resume: boolean;
  state?: string | undefined;
  cleanup: boolean;
  yes: boolean;
  timeout?: string[] | undefined;
  key?: string[] | undefined;
}

/** Runs on a tenant what the command line asks for; a report, or nothing after a dry run or a clean-up. */
export async function runTenantCommand(
  values: TenantValues,
  progress: Progress,
  signal: AbortSignal,
): Promise<Report | undefined> {
  const { config, kubeconfig, context, commit } = values;
  if (commit !== undefined && !/^[0-9a-f]{40}$/.test(commit)) {
    throw new E2eError('USAGE', 'not a commit', {
      expected: '--commit with 40 hex digits, as git rev-parse HEAD prints',
      found: commit,
    });
  }
  if (commit !== undefined && values.resume) throw new E2eError('USAGE', '--commit and --resume exclude each other');
  if (values.cleanup) {
    const confirm = (question: string): Promise<boolean> => ask(question, values.yes);
    await cleanUp({ config, kubeconfig, context, progress, signal, confirm, dryRun: values['dry-run'] });
    return undefined;
  }
  return runTenant({
    config,
    kubeconfig,
    context,
    commit,
    dryRun: values['dry-run'],
    resume: values.resume,
    stateFile: values.state,
    timeouts: parseTimeouts(values.timeout),
    keys: await readKeyFiles(values.key),
    progress,
    signal,
  });
}
