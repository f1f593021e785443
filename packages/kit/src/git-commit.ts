/** A git commit: 40 hex digits (SHA-1) or 64 (SHA-256). */
export const COMMIT: RegExp = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether this is the whole name of a commit, and not what stands where one should. */
export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}
