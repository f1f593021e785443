import { reasonOf } from '../../../kit/src/errors.ts';
import { isCommit } from '../../../kit/src/git-commit.ts';
import { readUpTo } from '../bounded-file.ts';
import { DigestChainError } from '../errors.ts';

/** A commit among others. */
export interface CommitHistory {
  readonly commit: string;
  /** When it was committed, in seconds since 1970; undefined where that is not known. */
  readonly time: number | undefined;
  /** Commits that it has everything of, as far as they were looked at. */
  readonly ancestors: readonly string[];
}

/** As many ancestors as are kept: with two hundred merges a day, a day. */
const MAX_ANCESTORS = 200;

/** Bytes: several times what that many lines have. */
const MAX_HISTORY_FILE = 64 * 1024;

/** Reads a file for {@link parseHistory}, as far as it is of use. Throws `SNAPSHOT_INVALID`. */
export async function readHistory(file: string, commit: string): Promise<CommitHistory> {
  const bytes = await readUpTo(file, MAX_HISTORY_FILE).catch((cause) => {
    throw new DigestChainError('SNAPSHOT_INVALID', `the history of the commit can't be read`, {
      expected: `a file that git log --format='%H %ct' wrote`,
      found: reasonOf(cause),
      cause,
    });
  });
  // The last line may have been cut.
  const end = bytes.length < MAX_HISTORY_FILE ? -1 : bytes.lastIndexOf('\n');
  return parseHistory(bytes.subarray(0, end < 0 ? undefined : end).toString(), commit);
}

/**
 * Reads what `git log --format='%H %ct'` writes of a commit: itself first, then its ancestors. Throws `SNAPSHOT_INVALID`
 * where it is something else, or of another commit than `commit`.
 */
export function parseHistory(text: string, commit: string): CommitHistory {
  const lines = text.split('\n').filter(Boolean);
  const entries = lines.map((line) => /^([0-9a-f]{40,64}) (\d{1,12})$/.exec(line));
  const [first, ...rest] = entries;
  const odd = entries.indexOf(null);
  if (odd < 0 && first?.[1] === commit) {
    const ancestors = rest.slice(0, MAX_ANCESTORS).map((entry) => entry?.[1] ?? '');
    return { commit, time: Number(first[2]), ancestors };
  }
  throw new DigestChainError('SNAPSHOT_INVALID', 'the history of the commit is not known', {
    expected: `lines of git log --format='%H %ct', the first of ${commit}`,
    found: JSON.stringify((lines[Math.max(odd, 0)] ?? '').slice(0, 100)),
  });
}

/** Which of two commits came first; undefined where neither ancestry nor time says so. */
export function compareCommits(one: CommitHistory, other: CommitHistory): 'older' | 'newer' | 'same' | undefined {
  if (one.commit === other.commit) return 'same';
  if (other.ancestors.includes(one.commit)) return 'older';
  if (one.ancestors.includes(other.commit)) return 'newer';
  if (one.time === undefined || other.time === undefined || one.time === other.time) return undefined;
  return one.time < other.time ? 'older' : 'newer';
}

/** The annotations of a Snapshot that say which commit it is of. */
export function historyAnnotations({ time, ancestors }: CommitHistory): Readonly<Record<string, string>> {
  return time === undefined
    ? {}
    : { [COMMIT_TIME]: new Date(time * 1000).toISOString(), [COMMIT_ANCESTORS]: ancestors.join(' ') };
}

/** What {@link historyAnnotations} wrote; of what somebody else wrote, what can be read. */
export function historyIn(annotations: (name: string) => string | undefined, commit: string): CommitHistory {
  const time = Date.parse(annotations(COMMIT_TIME) ?? '') / 1000;
  const ancestors = (annotations(COMMIT_ANCESTORS) ?? '').split(' ').filter(isCommit);
  return { commit, time: Number.isNaN(time) ? undefined : time, ancestors };
}

const COMMIT_TIME = 'io.konflux.poc/commit-time';
const COMMIT_ANCESTORS = 'io.konflux.poc/commit-ancestors';
