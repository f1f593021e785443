const CONTEXT = 3;
/** Above this many comparisons the middle is shown as replaced: a diff must not cost more than what it is about. */
const LIMIT = 4_000_000;

type Change = { readonly kind: ' ' | '-' | '+'; readonly line: string };

/** A unified diff, without a line at its end; empty where the texts are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const changes = compare(lines(before), lines(after));
  const hunks = groupHunks(changes);
  return [`--- ${path}`, `+++ ${path}`, ...hunks].join('\n');
}

function lines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function compare(before: readonly string[], after: readonly string[]): Change[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  const keep = (line: string): Change => ({ kind: ' ', line });
  return [
    ...before.slice(0, start).map(keep),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(keep),
  ];
}

/** The longest common subsequence, by the textbook's table. */
function compareMiddle(before: readonly string[], after: readonly string[]): Change[] {
  const removed = before.map((line): Change => ({ kind: '-', line }));
  const added = after.map((line): Change => ({ kind: '+', line }));
  if (before.length * after.length > LIMIT) return [...removed, ...added];
  const width = after.length + 1;
  const table = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      changes.push({ kind: ' ', line: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || at(i + 1, j) >= at(i, j + 1))) {
      changes.push({ kind: '-', line: old });
      i += 1;
    } else if (fresh !== undefined) {
      changes.push({ kind: '+', line: fresh });
      j += 1;
    }
  }
  return changes;
}

function groupHunks(changes: readonly Change[]): string[] {
  const shown = new Set<number>();
  changes.forEach(({ kind }, index) => {
    if (kind === ' ') return;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) shown.add(near);
  });
  const output: string[] = [];
  let hunk: Change[] = [];
  let [before, after] = [1, 1];
  let [hunkBefore, hunkAfter] = [1, 1];
  const flush = (): void => {
    if (hunk.length === 0) return;
    const size = (kind: '-' | '+'): number =>
      hunk.filter((change) => change.kind !== (kind === '-' ? '+' : '-')).length;
    const [old, fresh] = [size('-'), size('+')];
    output.push(
      `@@ -${old === 0 ? hunkBefore - 1 : hunkBefore},${old} +${fresh === 0 ? hunkAfter - 1 : hunkAfter},${fresh} @@`,
    );
    output.push(...hunk.map(({ kind, line }) => kind + line));
    hunk = [];
  };
  changes.forEach((change, index) => {
    if (shown.has(index)) {
      if (hunk.length === 0) [hunkBefore, hunkAfter] = [before, after];
      hunk.push(change);
    } else {
      flush();
    }
    if (change.kind !== '+') before += 1;
    if (change.kind !== '-') after += 1;
  });
  flush();
  return output;
}
