import { judgeSnapshot, type Snapshot, type VerificationKey } from '@multi-image/digest-chain';
import { parseReference, type Registry } from '@multi-image/digest-chain/oci';
import { reasonOf } from '@multi-image/kit/errors';
import { type ChainPlan, namingFiles, releasedNames, startsOf } from '@multi-image/manifests';
import { LOCAL_BUILDER } from '@multi-image/tekton-local';
import { foundExternal } from '../../judge/chain-view.ts';
import { type Evidence, failed, passed, skipped } from '../../judge/criterion.ts';
import type { Observation } from '../../judge/observation.ts';

/** What a run would release, and what the required test of Snapshots says of it. */
export interface PlayedSnapshot {
  /** Undefined where none would be made. */
  readonly snapshot: Snapshot['spec'] | undefined;
  readonly evidence: readonly Evidence[];
}

/**
 * The Snapshot of the chain as Konflux would get it of this run, with the images where this run has them, judged as the
 * required scenario does; nothing where components are released by themselves.
 */
export async function playSnapshot(
  registry: Registry,
  chain: ChainPlan,
  { images, build, revision }: Pick<Observation, 'images' | 'build' | 'revision'>,
  { keys, signal }: { readonly keys: readonly VerificationKey[]; readonly signal?: AbortSignal | undefined },
): Promise<PlayedSnapshot | undefined> {
  if (chain.release !== 'chain') return undefined;
  const [own, elsewhere] = [componentsOf(chain.images), componentsOf(chain.external)];
  const entries = [
    ...images.map(({ role, repository, published: { digest } }) => {
      const image = digest === undefined ? undefined : `${repository}@${digest}`;
      return { component: own.get(role), image, git: { url: chain.gitUrl, revision } };
    }),
    ...chain.external.map((each) => ({
      component: elsewhere.get(each.role),
      image: foundExternal(build, each).url,
      // What it was built from is not known here; Konflux knows it of its own build.
      git: { url: each.repository, revision: '0'.repeat(40) },
    })),
  ].filter(({ component }) => component !== undefined);
  const missing = entries.filter(({ image }) => image === undefined).map(({ component }) => component);
  if (missing.length > 0) {
    const reason = `no Snapshot would be made: ${missing.join(', ')} is not there`;
    return { snapshot: undefined, evidence: [skipped('chain-snapshot', reason)] };
  }
  const components = entries.map(({ component = '', image = '', git }) => {
    return { name: component, containerImage: image, source: { git } };
  });
  const snapshot = { application: chain.application, components };
  const starts = startsOf(chain);
  const files = starts.flatMap((image) => namingFiles(image, chain));
  const what = `the Snapshot that Konflux would get, ${components.map(({ name }) => name).join(', ')}`;
  const judged = judgeSnapshot(
    registry,
    { spec: snapshot },
    {
      components: own,
      external: elsewhere,
      starts: starts.map(({ role }) => role),
      files: [...new Map(files.map((each) => [JSON.stringify(each), each])).values()],
      released: new Map([...releasedNames(chain)].map(([role, name]) => [role, parseReference(name)])),
      gitUrl: chain.gitUrl,
      release: chain.release,
      keys,
      builders: [LOCAL_BUILDER],
      prefix: chain.labelPrefix,
      signal,
    },
  );
  // What can't be judged is no reason to say nothing of the rest.
  const { result, note } = await judged.catch((error: unknown) => {
    signal?.throwIfAborted();
    return { result: 'ERROR', note: reasonOf(error) };
  });
  const evidence =
    result === 'SUCCESS'
      ? passed('chain-snapshot', `${what}: ${note}`)
      : failed('chain-snapshot', what, 'one chain that is proved', note);
  return { snapshot, evidence: [evidence] };
}

/** The component of each role that has one. */
function componentsOf(
  images: readonly { readonly role: string; readonly component?: string | undefined }[],
): ReadonlyMap<string, string> {
  return new Map(
    images.flatMap(({ role, component }) => (component === undefined ? [] : [[role, component] as const])),
  );
}
