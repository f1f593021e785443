import { isUtf8 } from 'node:buffer';

/** A place in a text that names a repository. */
export interface NamedImage {
  /** From 1. */
  readonly line: number;
  /** As it stands there: `repository:tag@digest`. */
  readonly text: string;
  readonly digest: string | undefined;
}

// distribution-spec, "Pulling manifests"; image-spec, descriptor.md, "Digests".
const AFTER = /(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@([a-z0-9]+:[0-9a-fA-F]+))?/y;

/** Every place in a text where a repository (`quay.io/org/operator`) is named, with what follows it. */
export function referencesTo(repository: string, text: string): readonly NamedImage[] {
  const found: NamedImage[] = [];
  let line = 1;
  let counted = 0;
  for (let at = text.indexOf(repository); at !== -1; at = text.indexOf(repository, at + repository.length)) {
    AFTER.lastIndex = at + repository.length;
    const [after = '', digest] = AFTER.exec(text) ?? [];
    const end = at + repository.length + after.length;
    const isUrl = text.slice(Math.max(at - 3, 0), at) === '://';
    // Part of a longer name: of another repository.
    const isLonger = /[A-Za-z0-9._/-]/.test(text[at - 1] ?? ' ') && !isUrl;
    if (isLonger || /^(?:[A-Za-z0-9_/-]|\.[A-Za-z0-9])/.test(text.slice(end, end + 2))) continue;
    if (after === '' && !isWholeValue(text, at, end)) continue;
    for (; counted < at; counted++) if (text.charCodeAt(counted) === 10) line++;
    found.push({ line, text: repository + after, digest });
  }
  return found;
}

/** A text that is in another one as base64. */
export interface PackedText {
  /** Where it starts in that, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Shorter ones have no room for a repository and a digest. */
const PACKED = /[A-Za-z0-9+/]{100,}={0,2}/g;

/** The texts that are packed in a text: a catalog may have a bundle's manifests so (`olm.bundle.object`). */
export function packedTexts(text: string): readonly PackedText[] {
  const found: PackedText[] = [];
  let line = 1;
  let counted = 0;
  for (const { 0: packed, index } of text.matchAll(PACKED)) {
    for (; counted < index; counted++) if (text.charCodeAt(counted) === 10) line++;
    const bytes = Buffer.from(packed, 'base64');
    if (isUtf8(bytes)) found.push({ line, text: bytes.toString() });
  }
  return found;
}

/** Whether a name stands alone as a value in YAML, where a runtime takes it for `latest`; in a sentence it is a name. */
function isWholeValue(text: string, at: number, end: number): boolean {
  // No further back than that: a file may be one line.
  const window = text.slice(Math.max(at - 201, 0), at);
  const start = window.lastIndexOf('\n') + 1;
  const before = window.slice(start);
  if (before.length > 200) return false;
  return (
    /^\s*(?:- +)*(?:["']?[A-Za-z0-9_./-]+["']?:\s+)?["']?$/.test(before) &&
    /^["']?,?\s*(?:#|\n|$)/.test(text.slice(end, end + 50))
  );
}
