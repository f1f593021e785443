import type { Progress } from '@multi-image/kit/progress';
import type { Evidence } from '../../../judge/criterion.ts';
import { type SignedOptions, signedEvidence, waitSigned } from '../signed.ts';

/** Waits until Chains has signed each of these runs, by component, or until the time for that is over. */
export function awaitSignatures(
  runs: readonly (readonly [component: string, run: string])[],
  options: Omit<SignedOptions, 'run' | 'timeout'> & {
    timeouts: { signed: number };
    /** What Chains was seen to write already, by component: the runs may be pruned by now. */
    known: Readonly<Record<string, string>>;
    progress: Progress;
  },
): Promise<readonly Evidence[]> {
  const { timeouts, progress, known, ...where } = options;
  return Promise.all(
    runs.map(async ([component, run]) => {
      const what = `${component} · signed by Chains`;
      progress.started(what);
      const value = known[component] ?? (await waitSigned({ ...where, run, timeout: timeouts.signed }));
      progress.ended(what, value === 'true' ? 'passed' : 'failed', value === undefined ? 'not in time' : '');
      return signedEvidence(component, value);
    }),
  );
}
