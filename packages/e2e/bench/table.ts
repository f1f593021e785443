import { formatTable } from '@multi-image/testing/bench-table';

/** A goal beside what was measured. */
export interface Row {
  what: string;
  found: number;
  /** At most; undefined: only to know. */
  goal: number | undefined;
  unit: string;
  digits: number;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, found, goal, unit, digits }) => [
    what,
    `${found.toFixed(digits)} ${unit}`.trim(),
    goal === undefined ? '' : `≤ ${goal} ${unit}`.trim(),
    goal === undefined ? '' : found <= goal ? 'reached' : 'MISSED',
  ]);
  return formatTable(['', 'measured', 'goal', ''], cells);
}
