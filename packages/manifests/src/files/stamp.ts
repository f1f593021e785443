import { createHash } from 'node:crypto';

/**
 * The line in a rendered file's header that tells later who changed it: two short checksums of what follows the header,
 * one of the text without the pins' tags and digests, one of the pins alone. A person's edit shows in the first, a bot's
 * update in the second only.
 */
export interface Stamp {
  readonly text: string;
  readonly pins: string;
}

const STAMP = /^# Checksums: text ([0-9a-f]{12}), pins ([0-9a-f]{12})$/m;
const PINNED =
  /([a-z0-9.-]+(?::[0-9]+)?(?:\/[a-z0-9._-]+)+):([A-Za-z0-9_][A-Za-z0-9._-]{0,127})@(sha256:[0-9a-f]{64})/g;

/** A pinned reference in a text. */
export interface PinnedReference {
  readonly repository: string;
  /** As it stands there: `repository:tag@sha256:…` */
  readonly reference: string;
}

export function findPinned(text: string): PinnedReference[] {
  return [...text.matchAll(PINNED)].map(([reference, repository = '']) => ({ repository, reference }));
}

/** Which tag is newer, by its numbers; 0 where that can't be said. */
export function compareTags(a: string, b: string): number {
  const [left, right] = [a, b].map((pin) => /:v?(\d+(?:[.-]\d+)*)@/.exec(pin)?.[1]?.split(/[.-]/).map(Number));
  if (left === undefined || right === undefined) return 0;
  const at = left.findIndex((number, index) => number !== right[index]);
  return at === -1 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
}

export function stampLine(body: string): string {
  const { text, pins } = computeStamp(body);
  return `Checksums: text ${text}, pins ${pins}`;
}

function computeStamp(body: string): Stamp {
  const pins: string[] = [];
  const text = body.replace(PINNED, (reference, repository: string) => {
    pins.push(reference);
    return repository;
  });
  return { text: shortHash(text), pins: shortHash(pins.join('\n')) };
}

/** The stamp that a file carries; undefined where it carries none, so that it is not one of ours. */
export function readStamp(file: string): Stamp | undefined {
  const [, text, pins] = STAMP.exec(headerOf(file)) ?? [];
  return text === undefined || pins === undefined ? undefined : { text, pins };
}

/** How many stamps a file carries: two, where a merge took the lines of both sides. */
export function countStamps(file: string): number {
  return [...headerOf(file).matchAll(new RegExp(STAMP, 'gm'))].length;
}

/** Whether a file was rendered once, whatever has become of it. */
export function isRendered(file: string): boolean {
  return readStamp(file) !== undefined;
}

/** Whether a file was changed by hand since it was rendered, or never was rendered. */
export function isEdited(file: string): boolean {
  const stamp = readStamp(file);
  return stamp === undefined || stamp.text !== computeStamp(bodyOf(file)).text;
}

/** Whether pins in a file were changed since it was rendered. */
export function isRepinned(file: string): boolean {
  const stamp = readStamp(file);
  return stamp !== undefined && stamp.pins !== computeStamp(bodyOf(file)).pins;
}

/** A file with the stamp that `other` has: for comparing what was rendered, whoever put the pins there. */
export function withPinStampOf(file: string, other: string): string {
  const pins = readStamp(other)?.pins;
  return pins === undefined
    ? file
    : file.replace(STAMP, (_, text: string) => `# Checksums: text ${text}, pins ${pins}`);
}

/** Everything from the first document on. */
function bodyOf(file: string): string {
  return file.slice(headerOf(file).length);
}

function headerOf(file: string): string {
  const end = file.startsWith('---') ? 0 : file.indexOf('\n---\n') + 1;
  return file.slice(0, end);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
