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
  const all = [['', 'measured', 'goal', ''], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
