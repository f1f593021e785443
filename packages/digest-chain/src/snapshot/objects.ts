import { KONFLUX } from '../../../kit/src/konflux.ts';
import { at, items, member, textOf } from '../json/decode.ts';
import type { SnapshotComponent } from './document.ts';
import { isPullRequest } from './judge.ts';
import type { KubeObject } from './kubernetes.ts';

/** A Snapshot of the cluster, as far as a release asks about it. */
export class SnapshotObject {
  readonly #object: KubeObject;

  constructor(object: KubeObject) {
    this.#object = object;
  }

  get name(): string {
    return textOf(at(this.#object, 'metadata', 'name')) ?? '';
  }

  /** `component`, `group` or `override`. */
  get type(): string | undefined {
    return this.#label(KONFLUX.snapshotType);
  }

  /** The component whose build it was made from. */
  get built(): string | undefined {
    return this.#label(KONFLUX.component);
  }

  get chain(): string | undefined {
    return this.#label(KONFLUX.chain);
  }

  /** Whether it says of itself that it is not to be released. */
  get isHeld(): boolean {
    return this.#label(KONFLUX.autoRelease) === 'false';
  }

  get isPullRequest(): boolean {
    const [event, pullRequest] = [this.#label(KONFLUX.event), this.#label(KONFLUX.pullRequest)];
    return isPullRequest({ type: this.type, event, pullRequest, branch: this.annotation(KONFLUX.sourceBranch) });
  }

  /** In milliseconds since 1970; NaN where it is not known. */
  get buildStart(): number {
    const time = Number(this.annotation(KONFLUX.buildStart) ?? Number.NaN);
    // Some versions write seconds.
    return time < 1e11 ? time * 1000 : time;
  }

  /** In milliseconds since 1970. */
  get created(): number {
    return Date.parse(textOf(at(this.#object, 'metadata', 'creationTimestamp')) ?? '');
  }

  /** Who it goes with when that is deleted. */
  get owners(): readonly KubeObject[] {
    return items(at(this.#object, 'metadata', 'ownerReferences')).map((owner) => {
      const { apiVersion, kind, name, uid } = owner as KubeObject;
      return { apiVersion, kind, name, uid };
    });
  }

  get spec(): unknown {
    return member(this.#object, 'spec');
  }

  get application(): string | undefined {
    return textOf(at(this.#object, 'spec', 'application'));
  }

  annotation(name: string): string | undefined {
    return textOf(at(this.#object, 'metadata', 'annotations', name));
  }

  /** A component as it is in there. */
  component(name: string): SnapshotComponent | undefined {
    const found = items(at(this.#object, 'spec', 'components')).find((entry) => textOf(member(entry, 'name')) === name);
    return found as SnapshotComponent | undefined;
  }

  revisionOf(component: string): string | undefined {
    return textOf(at(this.component(component), 'source', 'git', 'revision'));
  }

  #label(name: string): string | undefined {
    return textOf(at(this.#object, 'metadata', 'labels', name));
  }
}
