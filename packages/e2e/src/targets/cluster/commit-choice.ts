import type { RunRecord } from './facts.ts';

/**
 * Which commit is meant where nobody named it: builds were asked for, and the first runs that appear may be of somebody's
 * push. The first run's commit is taken for it, until another one has a run of every component before it has.
 */
export class CommitChoice {
  readonly #components: readonly string[];
  readonly #runs = new Map<string, RunRecord>();
  #chosen: string | undefined;
  /** Whether the chosen commit has a run of every component: then no other can take its place. */
  isSettled = false;

  constructor(components: readonly string[]) {
    this.#components = components;
  }

  /** Takes a new run into account, and answers with the commit that is meant by now. */
  add(run: RunRecord): string | undefined {
    const { revision } = run;
    if (this.isSettled || revision === undefined) return this.#chosen;
    this.#runs.set(run.uid, run);
    const own = this.of(revision);
    this.isSettled = this.#components.every((name) => own.some(({ component }) => component === name));
    if (this.isSettled) this.#chosen = revision;
    else this.#chosen ??= revision;
    return this.#chosen;
  }

  /** The runs of a commit that were seen so far. */
  of(revision: string): readonly RunRecord[] {
    return [...this.#runs.values()].filter((run) => run.revision === revision);
  }
}
