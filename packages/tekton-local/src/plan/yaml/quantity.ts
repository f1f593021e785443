import type { Field } from './field.ts';

/** What a step may use at most. */
export interface Limits {
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Processors, or parts of one. */
  readonly cpus?: number | undefined;
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity as Kubernetes writes it (`256Mi`, `500m`, `1e3`); undefined where it is none, or less than nothing. */
export function quantityOf(value: unknown): number | undefined {
  const [, number = '', suffix = ''] =
    /^\+?(\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|([eE][+-]?\d+))?$/.exec(String(value)) ?? [];
  if (number === '') return undefined;
  const exponent = /[eE][+-]?\d+$/.exec(String(value))?.[0] ?? '';
  return Number(number + exponent) * (SUFFIXES[suffix] ?? Number.NaN);
}

/** The limits of `computeResources`; notes what is no quantity. */
export function parseLimits(field: Field): Limits {
  const read = (name: string): number | undefined => {
    const limit = field.get('limits', name);
    if (!limit.present) return undefined;
    const quantity = quantityOf(limit.value);
    if (quantity === undefined) limit.invalid('it is no quantity of Kubernetes, such as 256Mi or 500m');
    return quantity;
  };
  return { memory: read('memory'), cpus: read('cpu') };
}
