import { KONFLUX, KONFLUX_API } from '../../../kit/src/konflux.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { at, textOf } from '../json/decode.ts';
import type { Registry } from '../registry/registry.ts';
import { componentsOf, type GitSource, type Snapshot, type SnapshotComponent, snapshotName } from './document.ts';
import { type CommitHistory, historyAnnotations } from './history.ts';
import type { KubeObject, KubernetesApi } from './kubernetes.ts';
import { SnapshotObject } from './objects.ts';
import { findNewer, type ReleasedCommit, releasedCommits } from './order.ts';
import { type ProvedImage, type ProveOptions, proveTogether } from './prove.ts';
import { type Components, readEntries, type SnapshotEntry } from './read.ts';

export interface ReleaseOptions extends Omit<ProveOptions, 'revision'> {
  readonly application: string;
  /** What the chain is called: other chains of the application have other names. */
  readonly chain: string;
  readonly components: Components;
  /** Those of images that were built elsewhere: they go out as the chain was built with them, whatever is promoted. */
  readonly external?: Components | undefined;
  /** The repository that all images were built from. */
  readonly gitUrl: string;
  /** Of the commit that was built. */
  readonly history: CommitHistory;
}

/** What came of it. `created` and `exists`: the chain's Snapshot is there, once. */
export interface Release {
  readonly outcome:
    | 'created'
    | 'exists'
    /** Not all components of the commit are there yet: the last of them makes it. */
    | 'waiting'
    /** There is one of a later commit, so that none was made. */
    | 'superseded'
    /** One of a later commit was made at the same time, so that this one is held back. */
    | 'held';
  /** Of the Snapshot of the chain; undefined while it waits. */
  readonly name: string | undefined;
  /** In one sentence. */
  readonly note: string;
}

/**
 * Creates the Snapshot of a chain once each component's build of a commit has one of its own, which says that Konflux took
 * the build over: its tasks passed and it is signed. The images are proved to be one chain first, and no Snapshot is made
 * after one of a later commit. Throws what {@link proveTogether} throws; `SNAPSHOT_INVALID` where the application has no
 * such component, `SNAPSHOT_CONFLICT` where its name is taken by one with other images, and what the API says.
 */
export async function releaseChain(client: Registry, api: KubernetesApi, options: ReleaseOptions): Promise<Release> {
  const { application, chain, components, external = new Map(), gitUrl, history, ...demands } = options;
  const { commit: revision } = history;
  const names = [...components.values()].filter((name) => name !== undefined);
  const look = async (): Promise<readonly SnapshotObject[]> => {
    const found = await api.list('snapshots', `${KONFLUX.application}=${application}`);
    return found.map((object) => new SnapshotObject(object)).filter((object) => object.application === application);
  };
  const before = await look();
  const builds = new Map(names.map((name) => [name, lastBuild(before, name, revision)]));
  const missing = names.filter((name) => builds.get(name) === undefined);
  if (missing.length > 0) {
    return { outcome: 'waiting', name: undefined, note: `waits for the build of ${missing.join(', ')} of ${revision}` };
  }
  const entries = [...components].flatMap(([role, name]) => entriesOf(builds.get(name ?? ''), role, name));
  const { images } = await proveTogether(client, entries, { ...demands, starts: options.starts });
  checkExternal(images, external);

  // Once that component has a later build, Konflux does not release this Snapshot any more: so of the one that came last.
  const own = lastOf(
    [...builds.values()].filter((build) => build !== undefined),
    ({ created }) => created,
  );
  if (own === undefined) throw new RangeError('a chain without components');
  const name = snapshotName(application, revision, images);
  const mine = { name, history, buildStart: own.buildStart };
  const newer = findNewer(mine, releasedCommits(before, names));
  if (newer !== undefined) {
    await holdIfLater(api, before, name, newer);
    return { outcome: 'superseded', name, note: `no Snapshot is made: ${newer.name} is of a later commit or build` };
  }
  const released = new Map([...components, ...external]);
  const all = [...released.values()].filter((each) => each !== undefined);
  const others = await otherComponents(api, application, { chain, names: all, snapshots: before });
  const named = await componentsOf(client, images, {
    ...demands,
    components: released,
    git: { url: gitUrl, revision },
    sourceOf: (component, digest) => sourceOfBuild(before, component, digest),
  });
  const snapshot: Snapshot = {
    apiVersion: KONFLUX_API,
    kind: 'Snapshot',
    metadata: {
      name,
      namespace: api.namespace,
      labels: { [KONFLUX.application]: application, [KONFLUX.component]: own.built ?? '', [KONFLUX.chain]: chain },
      annotations: {
        ...(Number.isNaN(own.buildStart) ? {} : { [KONFLUX.buildStart]: String(own.buildStart) }),
        ...historyAnnotations(history),
      },
    },
    spec: { application, components: [...named, ...others.kept] },
  };
  const owned = { ...snapshot, metadata: { ...snapshot.metadata, ownerReferences: own.owners } };
  const outcome = await api.create('snapshots', owned);
  if (outcome === 'exists') await checkSame(api, snapshot, all);
  const overtaken = findNewer(mine, releasedCommits(await look(), names));
  if (overtaken !== undefined) {
    await hold(api, name);
    return { outcome: 'held', name, note: `${name} is held back: ${overtaken.name} is of a later commit or build` };
  }
  const there = outcome === 'created' ? 'was made' : 'is there already';
  return { outcome, name, note: [`Snapshot ${name} ${there}, with ${all.join(', ')}`, ...others.notes].join('; ') };
}

/** The Snapshot that Konflux made last of a component's build of this commit. */
function lastBuild(
  snapshots: readonly SnapshotObject[],
  component: string,
  revision: string,
): SnapshotObject | undefined {
  const builds = snapshots.filter(
    (snapshot) =>
      snapshot.type === 'component' &&
      snapshot.built === component &&
      !snapshot.isPullRequest &&
      snapshot.revisionOf(component) === revision,
  );
  return lastOf(builds, ({ buildStart, created }) => buildStart || created);
}

function lastOf(
  snapshots: readonly SnapshotObject[],
  time: (snapshot: SnapshotObject) => number,
): SnapshotObject | undefined {
  return snapshots.toSorted((a, b) => time(b) - time(a) || (a.name < b.name ? 1 : -1))[0];
}

/** That the chain was built with what the config says is built elsewhere. */
function checkExternal(images: readonly ProvedImage[], external: Components): void {
  for (const [role, component] of external) {
    if (images.some((image) => image.role === role && image.external)) continue;
    const roles = images.filter((image) => image.external).map((image) => image.role);
    throw new DigestChainError('SNAPSHOT_MIXED', `the chain was not built with ${component} from elsewhere`, {
      expected: `an external image (${role}) in its statement`,
      found: roles.join(', ') || 'none that is external',
    });
  }
}

/** What an image was built from, by the Snapshot that Konflux made of its component's build. */
function sourceOfBuild(snapshots: readonly SnapshotObject[], component: string, digest: Digest): GitSource | undefined {
  const own = snapshots.find((snapshot) => {
    const { containerImage = '' } = snapshot.component(component) ?? {};
    const isBuild = snapshot.type === 'component' && snapshot.built === component && !snapshot.isPullRequest;
    return isBuild && containerImage.endsWith(`@${digest}`);
  });
  const [entry] = own === undefined ? [] : readEntries(own.spec, new Map([[component, component]]));
  return entry && { url: entry.url, revision: entry.revision };
}

/** Of a component's own Snapshot the component itself: the others are there as they were last promoted. */
function entriesOf(
  build: SnapshotObject | undefined,
  role: string,
  name: string | undefined,
): readonly SnapshotEntry[] {
  return build === undefined ? [] : readEntries(build.spec, new Map([[role, name]]));
}

/** The components beside the chain, as they are promoted; those of other chains as these were last released. */
async function otherComponents(
  api: KubernetesApi,
  application: string,
  own: { chain: string; names: readonly string[]; snapshots: readonly SnapshotObject[] },
): Promise<{ kept: readonly SnapshotComponent[]; notes: readonly string[] }> {
  const all = await api.list('components');
  const known = all.filter((object) => textOf(at(object, 'spec', 'application')) === application);
  const nameOf = (object: KubeObject): string => textOf(at(object, 'metadata', 'name')) ?? '';
  const unknown = own.names.filter((name) => !known.some((object) => nameOf(object) === name));
  if (unknown.length > 0) {
    throw new DigestChainError('SNAPSHOT_INVALID', `${application} has no component ${unknown.join(', ')}`, {
      expected: known.map(nameOf).join(', ') || 'components',
      found: unknown.join(', '),
      hint: 'the config names components that are not in the cluster: apply konflux/, or render the config that is',
    });
  }
  const others = known.filter((object) => !own.names.includes(nameOf(object)));
  const kept = others.flatMap((object): SnapshotComponent[] => {
    const chain = textOf(at(object, 'metadata', 'labels', KONFLUX.chain));
    const found = chain === undefined ? promoted(object) : lastReleased(nameOf(object), chain, own.snapshots);
    return found === undefined ? [] : [found];
  });
  const left = others.map(nameOf).filter((name) => !kept.some((component) => component.name === name));
  return {
    kept,
    notes: [
      ...(kept.length === 0 ? [] : [`of no build of this commit, kept as they are: ${kept.map(describe).join(', ')}`]),
      ...(left.length === 0 ? [] : [`left out, since nothing of them is released yet: ${left.join(', ')}`]),
    ],
  };
}

const describe = ({ name, containerImage }: SnapshotComponent): string => `${name} ${containerImage.split('@')[1]}`;

/** A component of another chain, as that one's last Snapshot has it: what is promoted may be half of a chain. */
function lastReleased(
  name: string,
  chain: string,
  snapshots: readonly SnapshotObject[],
): SnapshotComponent | undefined {
  const released = snapshots.filter(
    (snapshot) => snapshot.chain === chain && snapshot.type === undefined && !snapshot.isHeld,
  );
  return lastOf(released, ({ created }) => created)?.component(name);
}

function promoted(object: KubeObject): SnapshotComponent | undefined {
  const name = textOf(at(object, 'metadata', 'name')) ?? '';
  const containerImage = textOf(at(object, 'status', 'lastPromotedImage')) ?? '';
  const url = textOf(at(object, 'spec', 'source', 'git', 'url'));
  const revision =
    textOf(at(object, 'status', 'lastBuiltCommit')) ?? textOf(at(object, 'spec', 'source', 'git', 'revision'));
  if (!containerImage.includes('@') || url === undefined || revision === undefined) return undefined;
  return { name, containerImage, source: { git: { url, revision } } };
}

/** Its components can't be changed, so that what has its name and other images was not made of this chain. */
async function checkSame(api: KubernetesApi, { metadata, spec }: Snapshot, names: readonly string[]): Promise<void> {
  const found = await api.get('snapshots', metadata.name);
  if (found === undefined) {
    throw new DigestChainError('CLUSTER_ERROR', `Snapshot ${metadata.name} was there, and is gone`);
  }
  const there = new SnapshotObject(found);
  for (const name of names) {
    const wanted = spec.components.find((component) => component.name === name);
    const { containerImage } = there.component(name) ?? {};
    if (containerImage === wanted?.containerImage) continue;
    throw new DigestChainError('SNAPSHOT_CONFLICT', `Snapshot ${metadata.name} is there, with another ${name}`, {
      expected: wanted?.containerImage,
      found: containerImage ?? 'none',
      hint: `somebody else made it: look at it, and delete it (kubectl delete snapshot ${metadata.name})`,
    });
  }
}

/** One that was made after a later commit's, by a run that ended before it looked again. */
async function holdIfLater(
  api: KubernetesApi,
  snapshots: readonly SnapshotObject[],
  name: string,
  newer: ReleasedCommit,
): Promise<void> {
  const own = snapshots.find((snapshot) => snapshot.name === name);
  if (own !== undefined && !own.isHeld && own.created >= newer.created) await hold(api, name);
}

/** The integration service releases nothing that says so, whatever its tests say. */
function hold(api: KubernetesApi, name: string): Promise<void> {
  return api.patch('snapshots', name, { metadata: { labels: { [KONFLUX.autoRelease]: 'false' } } });
}
