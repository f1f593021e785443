import type { Progress } from '@multi-image/kit/progress';
import { TEKTON } from '@multi-image/kit/tekton';
import { type Evidence, failed, passed, skipped } from '../../judge/criterion.ts';
import type { Cluster } from './api/cluster.ts';
import { shown, type WaitOptions, waitFor } from './api/follow.ts';
import { KINDS } from './api/resource.ts';

export interface SignedOptions extends Pick<WaitOptions<string>, 'namespace' | 'timeout' | 'signal'> {
  cluster: Cluster;
  /** Selects the PipelineRun among others. */
  selector: string;
  /** The PipelineRun's name. */
  run: string;
  /** Is told where nobody will ever say. */
  progress?: Pick<Progress, 'line'>;
}

/** In place of what Chains would have written on a run that is not there any more. */
export const RUN_GONE = 'the PipelineRun is gone';

/**
 * Waits until Tekton Chains has said on a PipelineRun what became of its signatures (`true`, `failed`); undefined where it
 * said nothing in time, {@link RUN_GONE} where it can say nothing more. It looks at a PipelineRun after all of its TaskRuns, so that their images are signed by then.
 */
export async function waitSigned(options: SignedOptions): Promise<string | undefined> {
  const { cluster, run, progress, ...where } = options;
  const value = await waitFor<string>(cluster, KINDS.pipelineRun, {
    ...where,
    look: ({ metadata }) => (metadata.name === run ? metadata.annotations?.[TEKTON.signed] : undefined),
    subject: { name: run, gone: RUN_GONE },
  });
  if (value === RUN_GONE)
    progress?.line(`${run} was deleted before Chains wrote on it; what it signed is in the registry`);
  return value;
}

/** The same, shown while it goes on; what was seen to be written already is not waited for: the run may be pruned by now. */
export function awaitSigned(
  component: string,
  options: SignedOptions & { known: Readonly<Record<string, string>> | undefined; progress: Progress },
): Promise<string | undefined> {
  const wait = options.known?.[component] ?? waitSigned(options);
  return shown(options.progress, `${component} · signed by Chains`, wait, (value) => value === 'true');
}

/** What Chains wrote on the run of a component, as evidence. */
export function signedEvidence(component: string, value: string | undefined): Evidence {
  const what = `Chains signed the run of ${component}`;
  if (value === 'true') return passed('signed', what);
  // Whether it did, the signatures themselves tell.
  if (value === RUN_GONE) return skipped('signed', `${what}: ${RUN_GONE}, and had no word of Chains`);
  return failed('signed', what, 'annotation chains.tekton.dev/signed: true', value ?? 'no annotation in time');
}
