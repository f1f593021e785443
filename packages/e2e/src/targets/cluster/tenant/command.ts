import type { Progress } from '@multi-image/kit/progress';
import { ask } from '../../../ask.ts';
import { E2eError } from '../../../errors.ts';
import type { Values } from '../../../options.ts';
import type { Report } from '../../../report/report.ts';
import { readSigners } from '../../signers.ts';
import type { ClusterRunOptions } from '../cluster-run.ts';
import { parseTimeouts } from '../timeouts.ts';
import { cleanUp } from './cleanup.ts';
import { runTenant } from './tenant-run.ts';

/** Runs on a tenant what the command line asks for; a report, or nothing after a dry run or a clean-up. */
export async function runTenantCommand(
  values: Values,
  progress: Progress,
  signal: AbortSignal,
): Promise<Report | undefined> {
  const { commit } = values;
  if (commit !== undefined && !/^[0-9a-f]{40}$/.test(commit)) {
    throw new E2eError('USAGE', 'not a commit', {
      expected: '--commit with 40 hex digits, as git rev-parse HEAD prints',
      found: commit,
    });
  }
  const options = await runOptions(values, progress, signal);
  if (!values.cleanup) return runTenant(options);
  await cleanUp({ ...options, confirm: (question) => ask(question, values.yes) });
  return undefined;
}

/** What every kind of cluster takes from the command line. Throws `USAGE` and what {@link readSigners} throws. */
export async function runOptions(values: Values, progress: Progress, signal: AbortSignal): Promise<ClusterRunOptions> {
  const { config, kubeconfig, context, commit, resume, 'dry-run': dryRun, state: stateFile } = values;
  if (commit !== undefined && resume) throw new E2eError('USAGE', '--commit and --resume exclude each other');
  const timeouts = parseTimeouts(values.timeout);
  const signers = await readSigners(values);
  return { config, kubeconfig, context, commit, resume, dryRun, stateFile, timeouts, ...signers, progress, signal };
}
