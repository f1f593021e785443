import { FILE_HEADERS_ONLY, formatPatch, type StructuredPatchHunk, structuredPatch } from 'diff';

/** With more changed lines than this a file is shown as replaced: a diff must not cost more than what it is about. */
const LIMIT = 2000;

/** A unified diff, without a line break at its end; empty where the texts are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const compared = structuredPatch(path, path, before, after, undefined, undefined, {
    context: 3,
    maxEditLength: LIMIT,
  });
  const hunks = compared?.hunks ?? [replaceAll(lines(before), lines(after))];
  const patch = { oldFileName: path, newFileName: path, oldHeader: undefined, newHeader: undefined, hunks };
  return formatPatch(patch, FILE_HEADERS_ONLY).slice(0, -1);
}

function replaceAll(before: readonly string[], after: readonly string[]): StructuredPatchHunk {
  return {
    oldStart: 1,
    oldLines: before.length,
    newStart: 1,
    newLines: after.length,
    lines: [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)],
  };
}

function lines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
