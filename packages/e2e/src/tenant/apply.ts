import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '../cluster/cluster.ts';
import { KINDS, type Kind, MADE_BY_US, NAMES, type Resource, text } from '../cluster/resource.ts';
import { E2eError } from '../errors.ts';

export interface Change {
  object: Resource;
  /** What applying it does, as the server itself says it in a dry run. */
  action: 'create' | 'change' | 'unchanged';
}

/**
 * Asks the server what applying these objects would do, and changes nothing. Throws `APPLY_CONFLICT` with every field
 * that somebody else owns and sets otherwise: such a field is never overwritten.
 */
export async function planApply(cluster: Cluster, objects: readonly Resource[]): Promise<readonly Change[]> {
  const conflicts: string[] = [];
  const changes = await Promise.all(
    objects.map(async (desired): Promise<Change> => {
      const { name, namespace = '' } = desired.metadata;
      const current = await cluster.read(desired, name, namespace);
      const object = adjust(desired, current);
      // Nobody owns anything of it yet, and webhooks may refuse it before what it names is there.
      if (current === undefined) return { object, action: 'create' };
      try {
        const would = await cluster.apply(object, { dryRun: true });
        return { object, action: isDeepStrictEqual(comparable(current), comparable(would)) ? 'unchanged' : 'change' };
      } catch (error) {
        if (!(error instanceof E2eError) || error.code !== 'CLUSTER_CONFLICT') throw error;
        conflicts.push(`${desired.kind} ${name}: ${error.found ?? ''}`);
        return { object, action: 'unchanged' };
      }
    }),
  );
  if (conflicts.length > 0) {
    throw new E2eError('APPLY_CONFLICT', 'somebody else owns fields that would be changed, so nothing was', {
      expected: 'objects that nobody else sets otherwise',
      found: conflicts.join('\n'),
      hint: 'make the config say the same, or give the field up there: kubectl apply --server-side --force-conflicts -f konflux/',
    });
  }
  return changes;
}

/** Applies what a plan found to be new or different; answers with those. */
export async function carryOut(cluster: Cluster, plan: readonly Change[]): Promise<readonly Change[]> {
  const changes = plan.filter(({ action }) => action !== 'unchanged');
  // One after the other, in their order: a component needs its application.
  for (const { object } of changes) await cluster.apply(object);
  return changes;
}

function adjust(desired: Resource, current: Resource | undefined): Resource {
  const object = structuredClone(desired) as {
    metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
  } & Resource;
  // What is there already was made by somebody else, unless it says that it was made here.
  if (current === undefined || current.metadata.labels?.[NAMES.madeBy] === MADE_BY_US) {
    object.metadata.labels = { ...object.metadata.labels, [NAMES.madeBy]: MADE_BY_US };
  }
  // The build service takes a request away when it was carried out: to set it again would be to ask again.
  const asks = object.metadata.annotations?.[NAMES.request] !== undefined;
  if (
    asks &&
    current !== undefined &&
    (buildStatus(current) !== undefined || current.metadata.annotations?.[NAMES.request] !== undefined)
  ) {
    const { [NAMES.request]: _, ...annotations } = object.metadata.annotations ?? {};
    const pending = current.metadata.annotations?.[NAMES.request];
    object.metadata.annotations = pending === undefined ? annotations : { ...annotations, [NAMES.request]: pending };
    if (Object.keys(object.metadata.annotations).length === 0) delete object.metadata.annotations;
  }
  return object;
}

/** An object without what every write changes. */
function comparable({ metadata, status: _, ...rest }: Resource): unknown {
  const {
    resourceVersion: _version,
    generation: _generation,
    managedFields: _fields,
    creationTimestamp: _created,
    uid: _uid,
    ...kept
  } = metadata as Record<string, unknown>;
  return { ...rest, metadata: kept };
}

export interface BuildStatus {
  state: string;
  message: string;
}

/** What the build service says of a component; undefined where it has said nothing yet. */
export function buildStatus(component: Resource): BuildStatus | undefined {
  const raw = component.metadata.annotations?.[NAMES.status];
  if (raw === undefined || raw === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(raw);
    return {
      state: text(parsed, 'pac', 'state') ?? '',
      message: text(parsed, 'pac', 'error-message') ?? text(parsed, 'message') ?? '',
    };
  } catch {
    return { state: '', message: raw.slice(0, 300) };
  }
}

/**
 * Everything in the namespace that this command made, and the service accounts that it added secrets to.
 */
export async function findMade(cluster: Cluster, namespace: string): Promise<readonly Resource[]> {
  // Last made, first deleted; the build service cleans up after a component, so that goes before its application.
  const kinds: readonly Kind[] = [
    KINDS.scenario,
    KINDS.component,
    KINDS.imageRepository,
    KINDS.application,
    KINDS.serviceAccount,
  ];
  const found = await Promise.all(
    kinds.map(async (kind) => {
      if ((await cluster.serves(kind)) === undefined) return [];
      return (await cluster.list(kind, namespace, `${NAMES.madeBy}=${MADE_BY_US}`)).items;
    }),
  );
  // The selector is the server's; the label decides here again, before anything is deleted.
  return found.flat().filter(({ metadata }) => metadata.labels?.[NAMES.madeBy] === MADE_BY_US);
}

/** Deletes these objects, each only if it is still the very one. */
export async function deleteMade(cluster: Cluster, made: readonly Resource[]): Promise<void> {
  for (const object of made) await cluster.delete(object);
}
