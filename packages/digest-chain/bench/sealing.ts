import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CountingProxy } from '../src/testing/counting-proxy.ts';
import { pushLayeredImage } from '../src/testing/layered-image.ts';
import { best, type Cost, measure, run } from './measure.ts';
import type { Sealer, Target } from './sealers.ts';
import { formatTable } from './table.ts';

export interface Setting {
  readonly layers: number;
  /** Milliseconds that every request takes longer. */
  readonly latency: number;
}

/** What each took, by its name. */
export type Costs = ReadonlyMap<string, Cost>;

const LAYER_BYTES = 128 * 1024;

/** Lets every sealer work on the same image, in turn, `rounds` times. */
export async function compareSealers(
  sealers: readonly Sealer[],
  proxy: CountingProxy,
  { layers, latency }: Setting,
  rounds: number,
): Promise<Costs> {
  const repository = `${proxy.host}/bench/layers-${layers}-${latency}`;
  const digest = await pushLayeredImage(`${repository}:origin`, layers, LAYER_BYTES);
  const target: Target = { repository, digest, linked: `${proxy.host}/bench/linked@${digest}` };
  const costs = new Map<string, Cost[]>(sealers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { name, commands, forget }] of sealers.entries()) {
      proxy.latency = latency;
      costs.get(name)?.push(await measure(commands(target, `r${round}-${index}`), proxy));
      proxy.latency = 0;
      if (forget !== undefined) await run(forget);
    }
  }
  return new Map([...costs].map(([name, each]) => [name, best(each)]));
}

/** The figures of one setting, and as ratios of what `reference` took. */
export function formatCosts(costs: Costs, { layers, latency }: Setting, reference: string): string {
  const base = costs.get(reference);
  const ratio = (value: number, of: number | undefined): string => (of ? `${(value / of).toFixed(2)} ×` : '');
  const rows = [...costs].map(([name, { requests, bytes, wall }]) => [
    name,
    `${requests}`,
    ratio(requests, base?.requests),
    bytes.toLocaleString('en'),
    ratio(bytes, base?.bytes),
    `${wall.toFixed(0)} ms`,
    ratio(wall, base?.wall),
  ]);
  const title = `${layers} layers, ${latency} ms added to each request; ratios to ${reference}`;
  return `${title}\n${formatTable(['', 'requests', '', 'bytes', '', 'wall', ''], rows)}`;
}

/** Runs `work` with a folder that is removed afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'digest-chain-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
