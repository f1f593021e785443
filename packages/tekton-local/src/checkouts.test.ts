import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasBusybox } from '@multi-image/testing/busybox';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { candidatesIn } from './pac/candidates.ts';
import { pacContext } from './pac/context.ts';
import { yamlFilesBelow } from './plan/yaml-file.ts';
import { planRun } from './plan-run.ts';
import { type RunOptions, runPipeline } from './run-pipeline.ts';
import { busyboxRuns } from './testing/busybox-run.ts';

/** Checkouts in the shapes of real ones: a `.tekton` folder, an event, and in `case.yaml` what has to become of it. */
const FOLDER = fileURLToPath(new URL('../testdata/checkouts/', import.meta.url));

interface Case {
  what: string;
  event: string;
  changed?: string[];
  comment?: string;
  repository?: string;
  /** Addresses, and the folders below `checkouts` that stand for them. */
  resolve?: Record<string, string>;
  secrets?: Record<string, string>;
  configMaps?: Record<string, string>;
  claims?: Record<string, string>;
  /** The PipelineRuns that the event starts, and how many tasks the first of them has. */
  starts: string[];
  tasks: number;
  /** Its results, where it is run as well. */
  runs?: object;
}

const cases = readdirSync(FOLDER)
  .filter((name) => existsSync(join(FOLDER, name, 'case.yaml')))
  .map((name) => ({ name, ...(parse(readFileSync(join(FOLDER, name, 'case.yaml'), 'utf8')) as Case) }));

/** The runs that the event of a case starts, and with what. */
async function started({ name, ...of }: Case & { name: string }): Promise<(RunOptions & { name: string })[]> {
  const root = join(FOLDER, name);
  const places = (map: Record<string, string> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([key, place]) => [key, join(FOLDER, place)]));
  const { changed = [], comment, repository } = of;
  const files = yamlFilesBelow(root, '.tekton');
  const event = await pacContext({ root, event: join(root, of.event), changed, comment, repository });
  const { candidates, context } = candidatesIn(root, files, event);
  return candidates
    .filter(({ starts }) => starts)
    .map((run) => ({
      root,
      file: run.file,
      name: run.name,
      beside: files,
      variables: context.variables,
      lookup: context.lookup,
      replacements: places(of.resolve),
      secrets: places(of.secrets),
      configMaps: places(of.configMaps),
      claims: places(of.claims),
    }));
}

describe('checkouts in the shapes of real ones', () => {
  it('are at least twelve', () => expect(cases.length).toBeGreaterThanOrEqual(12));

  it.each(cases.map((each) => [each.what, each] as const))('%s', async (_what, each) => {
    const runs = await started(each);
    expect(runs.map(({ name }) => name).sort()).toEqual([...each.starts].sort());
    const plans = [];
    for (const run of runs) plans.push(await planRun(run));
    expect(plans[0]?.dependencies.size).toBe(each.tasks);
  });
});

describe.skipIf(!hasBusybox)('they run (needs busybox-static)', () => {
  const { images, containers } = busyboxRuns();
  const runnable = cases.filter(({ runs }) => runs !== undefined);
  it.each(runnable.map((each) => [each.what, each] as const))('%s', async (_what, each) => {
    const [run] = await started(each);
    if (run === undefined) throw new Error('nothing is started');
    const outcome = await runPipeline({ ...run, images: images(), containers: containers() });
    expect(outcome).toMatchObject({ status: 'Succeeded', results: each.runs });
  });
});
