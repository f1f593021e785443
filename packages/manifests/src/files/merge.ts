import { run } from '@multi-image/kit/commands';
import { compareTags, countStamps } from './stamp.ts';

/** A merge that is under way, or that was the last commit. What is a merge's work alone is nobody's edit. */
export interface Merge {
  /** What one side has in a file; undefined where it has no such file. */
  read(side: 'ours' | 'theirs' | 'base', path: string): Promise<string | undefined>;
}

/** A line of a file of pins: the name and what it is pinned to. */
const ENTRY = /^ *([a-z0-9-]+): *(\S+) *$/gm;

const MARKER = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/m;

/** Whether git left its conflict markers in a text. */
export function hasConflictMarkers(text: string): boolean {
  return MARKER.test(text);
}

/** Whether a rendered file is what a merge made of two: conflict markers, or the checksums of both. */
export function isMergedRendering(text: string): boolean {
  return hasConflictMarkers(text) || countStamps(text) > 1;
}

/** Whether a file of pins is what a merge made of two: conflict markers, or a name twice. */
export function isMergedPins(text: string): boolean {
  const names = [...text.matchAll(ENTRY)].map(([, name]) => name);
  return hasConflictMarkers(text) || new Set(names).size < names.length;
}

/**
 * Finds the merge that a folder's repository is in, or that its last commit is.
 *
 * @param folder Paths are read from here
 */
export async function findMerge(folder: string): Promise<Merge | undefined> {
  const git = async (...args: string[]): Promise<string | undefined> => {
    const { exitCode, stdout } = await run('git', args, { cwd: folder }).catch(() => ({ exitCode: 1, stdout: '' }));
    return exitCode === 0 ? stdout : undefined;
  };
  const commit = async (name: string): Promise<string | undefined> =>
    (await git('rev-parse', '--quiet', '--verify', `${name}^{commit}`))?.trim();
  const ours = await commit('HEAD');
  if (ours === undefined) return undefined;
  const merged = await commit('MERGE_HEAD');
  const picked = merged ?? (await commit('REBASE_HEAD')) ?? (await commit('CHERRY_PICK_HEAD'));
  const second = picked === undefined ? await commit('HEAD^2') : undefined;
  const sides = {
    ours: second === undefined ? ours : await commit('HEAD^1'),
    theirs: picked ?? second,
  };
  if (sides.ours === undefined || sides.theirs === undefined) return undefined;
  const isMerge = merged !== undefined || second !== undefined;
  const base = isMerge ? (await git('merge-base', sides.ours, sides.theirs))?.trim() : await commit(`${sides.theirs}^`);
  const commits = { ...sides, base };
  return {
    read: async (side, path) => (commits[side] === undefined ? undefined : git('show', `${commits[side]}:./${path}`)),
  };
}

/**
 * Settles the pins that both sides of a merge changed: what only one side changed is taken from there, of two changes the
 * newer one, and ours where that can't be said. Everything else in the file is as in `theirs`.
 */
export function settlePins(ours: string, theirs: string, base: string): string {
  const [mine, before] = [entriesOf(ours), entriesOf(base)];
  return theirs.replaceAll(ENTRY, (line, name: string, value: string) => {
    const own = mine.get(name) ?? value;
    const changedHere = own !== before.get(name);
    const changedThere = value !== before.get(name);
    const keep = changedHere && (!changedThere || compareTags(own, value) >= 0);
    return keep ? line.replace(value, () => own) : line;
  });
}

function entriesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(ENTRY)].map(([, name = '', value = '']) => [name, value]));
}
