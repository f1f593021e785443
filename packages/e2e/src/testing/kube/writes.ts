import { parse } from 'yaml';
import type { Resource } from '../../targets/cluster/api/resource.ts';
import type { KubeAnswer } from './answer.ts';
import { fullName, isNamespaced, type Target } from './api.ts';
import { printPath, type Writable } from './fields.ts';
import { ApiError, invalid } from './status.ts';
import { ApplyConflict, type KubeStore } from './store.ts';

export interface WriteRequest {
  query: URLSearchParams;
  contentType: string;
  userAgent: string;
  body: string;
}

/** Kinds whose status is a resource of its own: a write of the object leaves it as it is. */
const WITHOUT_STATUS: ReadonlySet<string> = new Set([
  ...['Namespace', 'ServiceAccount', 'Secret', 'ConfigMap', 'Pod', 'Role', 'RoleBinding'],
]);

/** What a client writes: creation, patches, server-side apply, deletion. */
export class KubeWrites {
  readonly #store: KubeStore;

  constructor(store: KubeStore) {
    this.#store = store;
  }

  create(answer: KubeAnswer, target: Target, request: WriteRequest): void {
    const object = bodyOf(target, request.body);
    const { metadata } = object;
    if (!metadata.name && metadata.generateName) metadata.name = generate(String(metadata.generateName));
    if (!metadata.name)
      throw invalid(target.kind, '', 'metadata.name', 'Required value: name or generateName is required');
    checkName(target, metadata.name);
    this.#place(target, object);
    admit(object);
    if (!WITHOUT_STATUS.has(target.kind)) delete object.status;
    const { name, namespace } = metadata;
    if (this.#store.get(target.kind, name, namespace) !== undefined) {
      const details = { name, group: target.group, kind: target.plural };
      throw new ApiError(409, `${fullName(target)} "${name}" already exists`, { details, reason: 'AlreadyExists' });
    }
    const isDry = dryRunOf(request.query);
    answer.object(201, this.#store.create(object as unknown as Resource, managerOf(request), isDry));
  }

  patch(answer: KubeAnswer, target: Target, request: WriteRequest): void {
    const type = request.contentType.split(';')[0]?.trim();
    if (type === 'application/apply-patch+yaml') this.#apply(answer, target, request);
    else if (type === 'application/merge-patch+json') this.#merge(answer, target, request);
    else {
      const known = 'application/merge-patch+json, application/apply-patch+yaml';
      throw new ApiError(
        415,
        `the body of the request was in an unknown format - accepted media types include: ${known}`,
      );
    }
  }

  #apply(answer: KubeAnswer, target: Target, { query, body }: WriteRequest): void {
    const manager = query.get('fieldManager') ?? '';
    if (manager === '') {
      const message = 'Required value: is required for apply patch';
      throw invalid('PatchOptions.meta.k8s.io', '', 'fieldManager', message);
    }
    const object = bodyOf(target, body);
    if (!object.apiVersion || !object.kind)
      throw new ApiError(400, 'invalid object type: apiVersion and kind are required');
    if (object.metadata.managedFields !== undefined) throw new ApiError(400, 'metadata.managedFields must be nil');
    object.metadata.name ??= target.name;
    if (object.metadata.name !== target.name) throw nameMismatch(target, object.metadata.name);
    this.#place(target, object);
    const current = this.#store.get(target.kind, target.name ?? '', object.metadata.namespace);
    if (current === undefined) checkName(target, target.name ?? '');
    if (!WITHOUT_STATUS.has(target.kind)) delete object.status;
    try {
      const applied = this.#store.apply(
        object as unknown as Resource,
        manager,
        dryRunOf(query),
        query.get('force') === 'true',
      );
      answer.object(applied.created ? 201 : 200, applied.object);
    } catch (error) {
      if (error instanceof ApplyConflict) throw conflictOf(error, object.apiVersion);
      throw error;
    }
  }

  #merge(answer: KubeAnswer, target: Target, request: WriteRequest): void {
    if (request.query.has('force')) {
      throw invalid('PatchOptions.meta.k8s.io', '', 'force', 'Forbidden: may not be specified for non-apply patch');
    }
    const current = this.#found(target);
    const patch = JSON.parse(request.body);
    if (!WITHOUT_STATUS.has(target.kind)) delete patch.status;
    const version = patch.metadata?.resourceVersion;
    if (version !== undefined && version !== current.metadata.resourceVersion) {
      throw conflict(
        target,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    }
    if (patch.metadata?.name !== undefined && patch.metadata.name !== target.name)
      throw nameMismatch(target, patch.metadata.name);
    answer.object(200, this.#store.merge(current, patch, managerOf(request), dryRunOf(request.query)));
  }

  delete(answer: KubeAnswer, target: Target, { query, body }: WriteRequest): void {
    const found = this.#found(target);
    const options = body === '' ? {} : JSON.parse(body);
    for (const [name, label] of [
      ['uid', 'UID'],
      ['resourceVersion', 'ResourceVersion'],
    ] as const) {
      const wanted = options.preconditions?.[name];
      if (wanted === undefined || wanted === found.metadata[name]) continue;
      const text = `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${found.metadata[name]}`;
      throw conflict(target, text);
    }
    const isDry = dryRunOf(query) || options.dryRun?.includes('All') === true;
    const { name, namespace, uid } = found.metadata;
    if (!isDry) this.#store.delete(target.kind, name, namespace);
    const left = this.#store.get(target.kind, name, namespace);
    if (left !== undefined && !isDry) {
      answer.object(200, left);
      return;
    }
    const details = { name, group: target.group, kind: target.plural, uid };
    answer.json(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
  }

  #found({ kind, plural, group, name = '', namespace }: Target): Resource {
    const found = this.#store.get(kind, name, namespace);
    if (found === undefined) throw notFound({ plural, group }, name);
    return found;
  }

  /** Puts the object where the path says, if that is there. */
  #place(target: Target, object: Writable): void {
    if (!isNamespaced(target.kind)) return;
    object.metadata.namespace ??= target.namespace;
    if (object.metadata.namespace !== target.namespace) {
      throw new ApiError(400, 'the namespace of the provided object does not match the namespace sent on the request');
    }
    const namespace = String(target.namespace);
    if (this.#store.get('Namespace', namespace) === undefined)
      throw notFound({ plural: 'namespaces', group: '' }, namespace);
  }
}

export function notFound(target: Pick<Target, 'group' | 'plural'>, name: string): ApiError {
  const details = { name, group: target.group, kind: target.plural };
  return new ApiError(404, `${fullName(target)} "${name}" not found`, { details });
}

function bodyOf(target: Target, body: string): Writable {
  const object: Writable | null = parse(body);
  if (typeof object !== 'object' || object === null) throw new ApiError(400, 'the request has no object in its body');
  if (!object.apiVersion || !object.kind) {
    throw new ApiError(400, `Object 'Kind' or 'apiVersion' is missing in '${body.slice(0, 100)}'`);
  }
  if (object.apiVersion !== target.apiVersion || object.kind !== target.kind) {
    throw new ApiError(
      400,
      `the API version or kind in the data (${object.apiVersion}, ${object.kind}) does not match the expected (${target.apiVersion}, ${target.kind})`,
    );
  }
  object.metadata ??= {};
  return object;
}

function checkName({ kind, plural, group }: Target, name: string): void {
  if (name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) return;
  const rule = `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`;
  throw invalid(group === '' ? kind : fullName({ plural, group }), name, 'metadata.name', rule);
}

/** What Tekton's webhook refuses. */
function admit({ kind, spec }: Writable): void {
  if (kind !== 'PipelineRun') return;
  const count = [spec?.pipelineRef, spec?.pipelineSpec].filter((entry) => entry !== undefined).length;
  if (count === 1) return;
  const found = count === 0 ? 'expected exactly one, got neither' : 'expected exactly one, got both';
  const webhook = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed';
  throw new ApiError(400, `${webhook}: ${found}: spec.pipelineRef, spec.pipelineSpec`);
}

/** As the API machinery makes names: no vowels, and room for them in 63 characters. */
function generate(base: string): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  const random = Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)]);
  return base.slice(0, 58) + random.join('');
}

function dryRunOf(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun');
  if (values.some((value) => value !== 'All')) {
    throw invalid('PatchOptions.meta.k8s.io', '', 'dryRun', `Unsupported value: "${values}": supported values: "All"`);
  }
  return values.length > 0;
}

function managerOf({ query, userAgent }: WriteRequest): string {
  return query.get('fieldManager') || (userAgent.split('/')[0] ?? '') || 'unknown';
}

function nameMismatch({ name }: Target, found: unknown): ApiError {
  return new ApiError(400, `the name of the object (${found}) does not match the name on the URL (${name})`);
}

function conflict(target: Target, text: string): ApiError {
  const details = { name: target.name, group: target.group, kind: target.plural };
  const what = `Operation cannot be fulfilled on ${fullName(target)} "${target.name}"`;
  return new ApiError(409, `${what}: ${text}`, { details });
}

function conflictOf({ conflicts }: ApplyConflict, apiVersion: string): ApiError {
  const causes = conflicts.map(({ manager, operation, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${manager}"${operation === 'Apply' ? '' : ` using ${apiVersion}`}`,
    field: printPath(path),
  }));
  const [first] = causes;
  const text =
    causes.length === 1
      ? `1 conflict: ${first?.message}: ${first?.field}`
      : `${causes.length} conflicts: ${causes.map(({ message, field }) => `${message}:\n- ${field}`).join('\n')}`;
  return new ApiError(409, `Apply failed with ${text}`, { details: { causes } });
}
