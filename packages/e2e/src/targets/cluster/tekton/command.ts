import { Progress } from '@multi-image/kit/progress';
import { palette } from '@multi-image/kit/terminal';
import { loadConfig } from '@multi-image/manifests';
import { ask } from '../../../ask.ts';
import { E2eError } from '../../../errors.ts';
import { connect } from '../../../look/connect.ts';
import { podmanRunner } from '../../../look/run-images.ts';
import type { Values } from '../../../options.ts';
import type { Report } from '../../../report/report.ts';
import { runOptions } from '../tenant/command.ts';
import { cleanUpRuns } from './cleanup.ts';
import { runTekton } from './tekton-run.ts';

/** Runs on a cluster with Tekton what the command line asks for; a report, or nothing after a dry run or a clean-up. */
export async function runTektonCommand(
  values: Values,
  progress: Progress,
  signal: AbortSignal,
): Promise<Report | undefined> {
  const { namespace, 'plain-http': plainHttp, 'stand-ins': standIns } = values;
  const options = await runOptions(values, progress, signal);
  if (values.cleanup) {
    const { application } = (await loadConfig(values.config)).chain;
    await cleanUpRuns({ ...options, application, namespace, confirm: (question) => ask(question, values.yes) });
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
    ...options,
    imageRegistry: values.registry,
    gitUrl: values['git-url'],
    namespace,
    serviceAccount: values['service-account'],
    gitSecret: values['git-secret'],
    standIns,
    plainHttp,
    registry,
    elsewhere,
    runImage: podmanRunner({ plainHttp, elsewhere }),
    // So that what it would make can be piped on, as it is.
    print: (yaml) => process.stdout.write(yaml),
    progress: options.dryRun ? new Progress(process.stderr, palette(process.stderr)) : progress,
  });
}
