import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTable } from '@multi-image/testing/bench-table';
import type { CountingProxy } from '@multi-image/testing/counting-proxy';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { best, type Cost, measure, run } from './measure.ts';
import type { Sealer, Target } from './sealers.ts';

export interface Setting {
  readonly layers: number;
  /** Milliseconds that every request takes longer. */
  readonly latency: number;
}

/** What each took, by its name. */
export type Costs = ReadonlyMap<string, Cost>;

const LAYER_BYTES = 128 * 1024;

/** Lets every sealer work on the same image of so many layers, as {@link compareInTurn} does. */
export async function compareSealers(
  sealers: readonly Sealer[],
  registry: string,
  proxy: CountingProxy,
  { layers, latency }: Setting,
  rounds: number,
): Promise<Costs> {
  const name = `bench/layers-${layers}-${latency}`;
  const digest = await pushLayeredImage(`${registry}/${name}:origin`, layers, LAYER_BYTES);
  const targetAt = (host: string): Target => {
    return { repository: `${host}/${name}`, digest, linked: `${host}/bench/linked@${digest}` };
  };
  return compareInTurn(sealers, targetAt, registry, proxy, latency, rounds);
}

/**
 * Lets each work on the same, in turn, `rounds` times. Requests and bytes are counted in a round of their own: without added
 * latency, time is taken at the registry itself, for the proxy takes some as well.
 */
export async function compareInTurn(
  sealers: readonly Sealer[],
  targetAt: (host: string) => Target,
  registry: string,
  proxy: CountingProxy,
  latency: number,
  rounds: number,
): Promise<Costs> {
  const costs = new Map<string, Cost[]>(sealers.map(({ name }) => [name, []]));
  const work = async (host: string, round: string): Promise<void> => {
    for (const [index, { name, commands, forget }] of sealers.entries()) {
      costs.get(name)?.push(await measure(commands(targetAt(host), `${round}-${index}`), proxy));
      if (forget !== undefined) await run(forget);
    }
  };
  await work(proxy.host, 'counted');
  proxy.latency = latency;
  for (let round = 0; round < rounds; round++) await work(latency === 0 ? registry : proxy.host, `r${round}`);
  proxy.latency = 0;
  return new Map([...costs].map(([name, [counted, ...timed]]) => [name, { ...best(timed), ...countsOf(counted) }]));
}

function countsOf(cost: Cost | undefined): Pick<Cost, 'requests' | 'bytes'> {
  return { requests: cost?.requests ?? 0, bytes: cost?.bytes ?? 0 };
}

/** What each took, and as ratios of what `reference` took. */
export function formatCosts(title: string, costs: Costs, reference: string): string {
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
  return `${title}; ratios to ${reference}\n${formatTable(['', 'requests', '', 'bytes', '', 'wall', ''], rows)}`;
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
