/** Rows as text: the first column to the left, the others to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')}\n`;
}

/** A goal beside what was measured. */
export function formatGoal(what: string, found: number, goal: number, unit: string = ''): string {
  const digits = unit === '' ? 2 : 0;
  const verdict = found <= goal ? 'reached' : 'MISSED ';
  return `${verdict}  ${what}: ${found.toFixed(digits)}${unit} (goal ≤ ${goal.toFixed(digits)}${unit})\n`;
}
