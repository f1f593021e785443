import type { ChainPlan } from '../chain/plan.ts';
import type { YamlMap } from '../yaml/write.ts';
import { declare } from './wiring.ts';

export type Event = 'push' | 'pull-request';

/** The variable that a step of digest-chain finds the public key in. */
export const KEY_VARIABLE = 'PUBLIC_KEY';

/** How a scanner's Pipeline and its Task declare these parameters, by the names that they have there. */
export const declareKey = (key: string, demands: string): YamlMap[] => [
  declare(key, 'Public key (PEM) of the build system; empty where it is not known', ''),
  {
    name: demands,
    type: 'array',
    description: 'What the proof has to have beyond the link, as options of digest-chain extract',
    default: [],
  },
];

/**
 * The parameters of a scanner's pipeline by which it knows the build system: its key, and what is demanded of the image
 * that it waits for, as options of `digest-chain extract`. None without a key, since only what is signed says who built.
 *
 * @param source The repository that is built, as whoever starts the run knows it.
 */
export function keyParams(
  buildSystem: ChainPlan['buildSystem'],
  event: Event,
  source: string,
): { 'public-key'?: string; demands?: string[] } {
  if (buildSystem === undefined) return {};
  const { publicKey, builderId, waitFor } = buildSystem;
  const demands = [
    `--key=env://${KEY_VARIABLE}`,
    `--until=${waitFor}`,
    ...(builderId === undefined ? [] : [`--builder-id=${builderId}`]),
    // A task's own provenance does not tell its source; the run's does.
    ...(waitFor === 'attested' ? [`--source=${source}`] : []),
    ...(event === 'pull-request' ? ['--allow-pull-request'] : []),
  ];
  return { 'public-key': publicKey, demands };
}
