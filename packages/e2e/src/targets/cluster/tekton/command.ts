import { Progress } from '@multi-image/kit/progress';
import { palette } from '@multi-image/kit/terminal';
import { loadConfig } from '@multi-image/manifests';
import { E2eError } from '../../../errors.ts';
import { connect } from '../../../look/connect.ts';
import { readKeyFiles } from '../../../look/key-files.ts';
import { podmanRunner } from '../../../look/run-images.ts';
import type { Report } from '../../../report/report.ts';
import { ask } from '../ask.ts';
import type { TenantValues } from '../tenant/command.ts';
import { parseTimeouts } from '../timeouts.ts';
import { cleanUpRuns } from './cleanup.ts';
import { runTekton } from './tekton-run.ts';

export interface TektonValues extends TenantValues {
  registry?: string | undefined;
  'git-url'?: string | undefined;
  namespace?: string | undefined;
  'service-account': string;
  'git-secret'?: string | undefined;
  'stand-ins': boolean;
  'plain-http': boolean;
  'registry-here'?: string | undefined;
}

/** Runs on a cluster with Tekton what the command line asks for; a report, or nothing after a dry run or a clean-up. */
export async function runTektonCommand(
  values: TektonValues,
  progress: Progress,
  signal: AbortSignal,
): Promise<Report | undefined> {
  const { config, kubeconfig, context, commit, namespace, 'plain-http': plainHttp, 'stand-ins': standIns } = values;
  if (commit !== undefined && values.resume) throw new E2eError('USAGE', '--commit and --resume exclude each other');
  if (values.cleanup) {
    const { application } = (await loadConfig(config)).chain;
    const confirm = (question: string): Promise<boolean> => ask(question, values.yes);
    const dryRun = values['dry-run'];
    await cleanUpRuns({ kubeconfig, context, application, namespace, dryRun, confirm, progress, signal });
    return undefined;
  }
  if (plainHttp && !standIns) {
    throw new E2eError('USAGE', 'the tasks of Konflux’ catalog reach registries with TLS only', {
      expected: '--plain-http together with --stand-ins',
      found: '--plain-http alone',
    });
  }
  const from = values.registry?.split('/')[0];
  const { registry, elsewhere } = connect({ from, to: values['registry-here'], plainHttp, signal });
  return runTekton({
    config,
    kubeconfig,
    context,
    commit,
    imageRegistry: values.registry,
    gitUrl: values['git-url'],
    namespace,
    serviceAccount: values['service-account'],
    gitSecret: values['git-secret'],
    standIns,
    plainHttp,
    dryRun: values['dry-run'],
    resume: values.resume,
    stateFile: values.state,
    timeouts: parseTimeouts(values.timeout),
    keys: await readKeyFiles(values.key),
    registry,
    elsewhere,
    runImage: podmanRunner({ plainHttp, elsewhere }),
    // So that what it would make can be piped on, as it is.
    print: (yaml) => process.stdout.write(yaml),
    progress: values['dry-run'] ? new Progress(process.stderr, palette(process.stderr)) : progress,
    signal,
  });
}
