import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLoopback } from '@multi-image/digest-chain/oci';
import { CodedError } from '@multi-image/kit/errors';
import { tie } from '@multi-image/kit/tied';
import { TektonLocalError } from '../errors.ts';
import type { ParamValue } from '../plan/model.ts';
import type { Plan } from '../plan/plan.ts';
import { variablesIn, withoutIndex } from '../plan/replace/expressions.ts';
import { findRegistryProgram, startLocalRegistry } from './local-registry.ts';
import { imageIn } from './own-registry.ts';

/** A registry of one run, that is gone after it. */
export interface ThrowawayRegistry {
  /** The plan with what the run's files name in registries of others here instead. */
  readonly plan: Plan;
  /** What a person should know of it. */
  readonly note: string;
  stop(): Promise<void>;
}

/**
 * Puts a registry of the run's own in the place of those that its files name: whoever runs a file of somebody else's has
 * not agreed to write there. Starts none where no param names an image in the registry of another. What stays as it is:
 * an image by digest, which nobody can be about to write; one that a step runs in; and whatever the caller has said.
 *
 * @param said The params that the caller gave
 */
export async function startThrowaway(
  plan: Plan,
  said: Readonly<Record<string, ParamValue>>,
  root: string,
  signal: AbortSignal | undefined,
): Promise<ThrowawayRegistry | undefined> {
  const read = imagesOfSteps(plan);
  const moved = Object.entries(plan.params).flatMap(([name, value]) => {
    const image = typeof value === 'string' ? imageIn(value, root) : undefined;
    if (image === undefined || isLoopback(image.host) || image.reference.includes('@')) return [];
    return read.has(name) || Object.hasOwn(said, name) ? [] : [{ name, ...image }];
  });
  if (moved.length === 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'tekton-local-registry-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const { address, pid } = await startLocalRegistry({ program: findRegistryProgram(), folder, port: 0, signal });
    const { kill, release } = tie(pid);
    const params = moved.map(({ name, reference, host }) => [name, reference.replace(host, address)]);
    const hosts = [...new Set(moved.map(({ host }) => host))].join(', ');
    return {
      plan: { ...plan, params: { ...plan.params, ...Object.fromEntries(params) } },
      note: `${address}, a registry of this run that is gone after it, stands in for ${hosts} in ${moved.map(({ name }) => name).join(', ')}; --registry named goes there`,
      async stop() {
        kill();
        release();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    if (!(error instanceof CodedError) || error.code !== 'TOOL_MISSING') throw error;
    throw new TektonLocalError('TOOL_MISSING', `${error.message}, to stand in for those that the run's params name`, {
      expected: error.expected,
      found: moved.map(({ name, reference }) => `${name}: ${reference}`).join('\n'),
      hint: `${error.hint}; or --param NAME=VALUE with a registry of your own; or --registry named, to go there`,
      cause: error,
    });
  }
}

/** Where a run that nobody sent elsewhere may sign: on this machine, and where the caller himself has said. */
export function signsIn(said: Readonly<Record<string, ParamValue>>, root: string): (host: string) => boolean {
  const hosts = Object.values(said)
    .flat()
    .map((value) => (typeof value === 'string' ? imageIn(value, root)?.host : undefined));
  return (host) => isLoopback(host) || hosts.includes(host);
}

/** The pipeline's params whose value is the image of a step, in whatever task. */
function imagesOfSteps({ pipeline, implementations }: Plan): ReadonlySet<string> {
  const found = new Set<string>();
  const paramsIn = (texts: readonly string[]): string[] =>
    texts.flatMap((text) => variablesIn(text, 'params').map(({ name }) => withoutIndex(name)));
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const implementation = implementations.get(task.name);
    const own = paramsIn(implementation?.task.steps.map(({ image }) => image) ?? []);
    if (implementation?.embedded === true) for (const name of own) found.add(name);
    for (const { name, value } of [...task.params, ...task.matrix, ...task.include.flat()]) {
      if (!own.includes(name)) continue;
      for (const from of paramsIn(typeof value === 'string' ? [value] : Object.values(value))) found.add(from);
    }
  }
  return found;
}
