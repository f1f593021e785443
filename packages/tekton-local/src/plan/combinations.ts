import type { Param, PipelineTask } from './model.ts';

/** More TaskRuns of one task are refused, as Tekton does by default. */
const MAX_COMBINATIONS = 256;

/** Whether a pipeline task runs once for each combination of something. */
export function isMatrix({ matrix, include }: Pick<PipelineTask, 'matrix' | 'include'>): boolean {
  return matrix.length + include.length > 0;
}

/**
 * Every combination of the matrix' values, in Tekton's order: the first param changes fastest. What is included goes into
 * each combination that it does not contradict, and is one of its own where no value of it is in any.
 */
export function combinationsOf({
  matrix,
  include,
}: Pick<PipelineTask, 'matrix' | 'include'>): Record<string, string>[] {
  const included = include.map(valuesOf);
  const all = matrix.length === 0 ? included : withIncluded(fanOut(matrix), included);
  const count = countOf({ matrix, include });
  if (count > MAX_COMBINATIONS) throw new Error(`the matrix has more than ${MAX_COMBINATIONS} combinations`);
  return Array.from({ length: count }, (_, index) => all[index] ?? {});
}

/**
 * The combinations of which it is known before results are which params they have, if there is anything included; none
 * where there are too many, which is told elsewhere.
 */
export function knownCombinations(of: Pick<PipelineTask, 'matrix' | 'include'>): Record<string, string>[] | undefined {
  const { matrix, include } = of;
  // Values may be open that nothing is compared with, as long as their number is known.
  const compared = new Set(include.flat().map(({ name }) => name));
  const isKnown = include.flat().every(({ value }) => !String(value).includes('$('));
  const isCountable = matrix.every(({ name, value }) => {
    if (!Array.isArray(value) || value.length === 0) return false;
    return value.every((item) => !(compared.has(name) ? item.includes('$(') : /\[\*\]\)$/.test(item)));
  });
  // Of what is included alone, whatever the values are.
  if (include.length === 0 || !(matrix.length === 0 || (isKnown && isCountable))) return undefined;
  try {
    return combinationsOf(of);
  } catch {
    return [];
  }
}

/**
 * How many TaskRuns there are. Tekton counts them otherwise than it makes combinations: what is included counts once for
 * each of its values that the matrix' param of that name does not have, up to the first that it has.
 */
export function countOf({ matrix, include }: Pick<PipelineTask, 'matrix' | 'include'>): number {
  if (matrix.length === 0) return include.length;
  const values = new Map(matrix.map(({ name, value }) => [name, Array.isArray(value) ? value : []]));
  let count = [...values.values()].reduce((product, { length }) => product * Math.max(length, 1), 1);
  for (const more of include.map(valuesOf)) {
    for (const [name, value] of Object.entries(more)) {
      const own = values.get(name);
      if (own?.includes(value) === true) break;
      if (own !== undefined) count++;
    }
  }
  return count;
}

function valuesOf(params: readonly Param[]): Record<string, string> {
  return Object.fromEntries(params.map(({ name, value }) => [name, String(value)]));
}

function withIncluded(
  combinations: readonly Record<string, string>[],
  included: readonly Record<string, string>[],
): Record<string, string>[] {
  const all: Record<string, string>[] = combinations.map((combination) => ({ ...combination }));
  for (const whole of all) {
    for (const more of included) {
      if (Object.entries(more).every(([name, value]) => (whole[name] ?? value) === value)) Object.assign(whole, more);
    }
  }
  for (const more of included) {
    const isThere = all.some((whole) => Object.entries(more).some(([name, value]) => whole[name] === value));
    if (!isThere && Object.keys(more).length > 0) all.push(more);
  }
  return all;
}

function fanOut(matrix: readonly Param[]): Record<string, string>[] {
  let all: Record<string, string>[] = [];
  for (const { name, value } of matrix) {
    const items = Array.isArray(value) ? value : [];
    if (Math.max(all.length, 1) * items.length > MAX_COMBINATIONS) {
      throw new Error(`the matrix has more than ${MAX_COMBINATIONS} combinations`);
    }
    // What is no array takes with it what came before, and the next begins anew.
    const before = all.length === 0 ? [{}] : all;
    all = items.flatMap((item) => before.map((combination) => ({ ...combination, [name]: item })));
  }
  return all;
}
