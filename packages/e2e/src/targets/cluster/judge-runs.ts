import type { Registry, VerificationKey } from '@multi-image/digest-chain';
import type { ChainPlan } from '@multi-image/manifests';
import { judge } from '../../judge/criteria.ts';
import { type Evidence, extend } from '../../judge/criterion.ts';
import type { Observation, ObservedImage, RunFacts } from '../../judge/observation.ts';
import { scansOf } from '../../judge/scans.ts';
import { lookAtImages } from '../../look/look-at-images.ts';
import { type ImageRunner, runImages } from '../../look/run-images.ts';
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
  const { chain, revision, runs, registry, keys, signer } = options;
  const components = componentsOf(chain);
  const runOf = (component: string): RunFacts => {
    const facts = runs.get(component);
    if (facts === undefined) throw new RangeError(`no run of ${component}`);
    return facts;
  };
  const build = runOf(components[0]?.component ?? '');
  const scanners = components.slice(1).map(({ component, role }) => ({ role, run: runOf(component) }));
  const all = [build, ...scanners.map(({ run }) => run)];
  const images = await lookAtImages({ registry, chain, revision, build, keys });
  const notRun = await runImages(images, options.runImage);
  const seen: Observation = {
    revision,
    labelPrefix: chain.labelPrefix,
    seal: chain.seal,
    signer,
    build,
    scanners,
    images,
    scans: all.flatMap(scansOf),
  };
  const criteria = extend(judge(seen), { 'single-pipeline': notRun, ...options.more(images) });
  return reportOf(seen, criteria, keys);
}
