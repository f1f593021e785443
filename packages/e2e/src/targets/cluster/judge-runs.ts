import type { Registry, VerificationKey } from '@multi-image/digest-chain';
import type { ChainPlan } from '@multi-image/manifests';
import { judge } from '../../judge/criteria.ts';
import { type Evidence, extend } from '../../judge/criterion.ts';
import type { Observation, ObservedImage, RunFacts } from '../../judge/observation.ts';
import { observe } from '../../look/observe.ts';
import { type ImageRunner, podmanRunner } from '../../look/run-images.ts';
import { reportOf } from '../../report/report-of.ts';
import { componentsOf } from './runs.ts';

export interface JudgeRunsOptions {
  chain: ChainPlan;
  revision: string;
  /** What the run of each component did. */
  runs: ReadonlyMap<string, RunFacts>;
  registry: Registry;
  keys: readonly VerificationKey[];
  signer: Observation['signer'];
  runImage?: ImageRunner | undefined;
  /** Evidence that only the target has, by criterion. */
  more: (images: readonly ObservedImage[]) => Readonly<Record<string, readonly Evidence[]>>;
}

/** Looks at the images that the runs left in the registry, runs and proves them, and judges the criteria. */
export async function judgeRuns(options: JudgeRunsOptions): Promise<ReturnType<typeof reportOf>> {
  const { chain, revision, runs, registry, keys, signer, runImage = podmanRunner({}) } = options;
  const components = componentsOf(chain);
  const runOf = (component: string): RunFacts => {
    const facts = runs.get(component);
    if (facts === undefined) throw new RangeError(`no run of ${component}`);
    return facts;
  };
  const build = runOf(components[0]?.component ?? '');
  const scanners = components.slice(1).map(({ component, role }) => ({ role, run: runOf(component) }));
  const seen = await observe({ chain, revision, build, scanners, registry, keys, signer, runImage });
  return reportOf(seen, extend(judge(seen), options.more(seen.images)), keys);
}
