import { type CommitHistory, compareCommits, historyIn } from './history.ts';
import type { SnapshotObject } from './objects.ts';

/** A Snapshot of the chain that may be released, and the commit that it is of. */
export interface ReleasedCommit {
  readonly name: string;
  readonly history: CommitHistory;
  /** When its build began, in milliseconds since 1970; NaN where that is not known. */
  readonly buildStart: number;
  /** In milliseconds since 1970. */
  readonly created: number;
}

/**
 * The Snapshot of a later commit than this one, or of a later build of the same commit, if there is one. By ancestry where
 * that is known, else by the commits' times.
 */
export function findNewer(
  mine: Pick<ReleasedCommit, 'history' | 'buildStart' | 'name'>,
  others: readonly ReleasedCommit[],
): ReleasedCommit | undefined {
  return others.find((other) => {
    if (other.name === mine.name) return false;
    const order = compareCommits(mine.history, other.history);
    return order === 'older' || (order === 'same' && mine.buildStart < other.buildStart);
  });
}

/** The Snapshots of an application that hold these components together and may be released. */
export function releasedCommits(
  snapshots: readonly SnapshotObject[],
  components: readonly string[],
): readonly ReleasedCommit[] {
  return snapshots.flatMap((snapshot) => {
    if (snapshot.isHeld || snapshot.isPullRequest || ['component', 'group'].includes(snapshot.type ?? '')) return [];
    const commits = new Set(components.map((component) => snapshot.revisionOf(component)));
    const [commit] = commits;
    if (commits.size !== 1 || commit === undefined) return [];
    const { name, buildStart, created } = snapshot;
    return [{ name, buildStart, created, history: historyIn((key) => snapshot.annotation(key), commit) }];
  });
}
