import { type Evidence, failed, passed } from '../criteria/criterion.ts';
import type { Cluster } from './cluster.ts';
import { waitFor } from './follow.ts';
import { KINDS, NAMES } from './resource.ts';

export interface SignedOptions {
  cluster: Cluster;
  namespace: string;
  /** Selects the PipelineRun among others. */
  selector: string;
  /** The PipelineRun's name. */
  run: string;
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
}

/**
 * Waits until Tekton Chains has said on a PipelineRun what became of its signatures (`true`, `failed`); undefined where it
 * said nothing in time. It looks at a PipelineRun after all of its TaskRuns, so that their images are signed by then.
 */
export function waitSigned({ cluster, run, ...options }: SignedOptions): Promise<string | undefined> {
  return waitFor(cluster, KINDS.pipelineRun, {
    ...options,
    look: ({ metadata }) => (metadata.name === run ? metadata.annotations?.[NAMES.signed] : undefined),
  });
}

/** What Chains wrote on the run of a component, as evidence. */
export function signedEvidence(component: string, value: string | undefined): Evidence {
  const what = `Chains signed the run of ${component}`;
  if (value === 'true') return passed('signed', what);
  return failed('signed', what, 'annotation chains.tekton.dev/signed: true', value ?? 'no annotation in time');
}
