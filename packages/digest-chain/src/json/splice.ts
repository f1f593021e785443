import type { JsonArray, JsonObject, Range } from './scan.ts';

/** Replaces the bytes from `start` up to `end` with `text`. */
export interface Edit extends Range {
  readonly text: string;
}

/** Applies edits that don't overlap, in any order, to a copy; every other byte stays as it is. */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    if (edit.start < at || edit.end < edit.start) throw new RangeError('edits overlap');
    parts.push(bytes.subarray(at, edit.start), Buffer.from(edit.text));
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

/** Puts text (members or items, without a comma in front) at the end of an object or a list. */
export function atEnd(container: JsonObject | JsonArray, text: string): Edit {
  const last = container.type === 'object' ? container.members.at(-1)?.value.end : container.items.at(-1)?.end;
  const at = last ?? container.start + 1;
  return { start: at, end: at, text: last === undefined ? text : `,${text}` };
}
