import type { ChainPlan } from '../chain/plan.ts';
import type { Event } from './pipeline-run.ts';

/** The variable that a step of digest-chain finds the public key in. */
export const KEY_VARIABLE = 'PUBLIC_KEY';

/**
 * What a scanner demands of the image that it waits for, as options of `digest-chain extract`: nothing without a key,
 * since only what is signed says who built it.
 *
 * @param source The repository that is built, as whoever starts the run knows it.
 */
export function demandsOf({ buildSystem }: ChainPlan, event: Event, source: string): string[] {
  if (buildSystem === undefined) return [];
  const { builderId, waitFor } = buildSystem;
  return [
    `--key=env://${KEY_VARIABLE}`,
    `--until=${waitFor}`,
    ...(builderId === undefined ? [] : [`--builder-id=${builderId}`]),
    // A task's own provenance does not tell its source; the run's does.
    ...(waitFor === 'attested' ? [`--source=${source}`] : []),
    ...(event === 'pull-request' ? ['--allow-pull-request'] : []),
  ];
}
