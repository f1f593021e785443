/** The middle one, or the mean of both in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** A goal beside what was measured. */
export function formatGoal(
  what: string,
  found: number,
  goal: number,
  unit: string = '',
  digits: number = unit === '' ? 2 : 0,
): string {
  const verdict = found <= goal ? 'reached' : 'MISSED ';
  return `${verdict}  ${what}: ${found.toFixed(digits)}${unit} (goal ≤ ${goal.toFixed(digits)}${unit})\n`;
}
