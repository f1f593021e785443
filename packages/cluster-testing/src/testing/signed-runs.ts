import { setTimeout as sleep } from 'node:timers/promises';
import {
  attachmentTag,
  createRegistry,
  type DigestReference,
  decodeJson,
  formatReference,
  parseDigestReference,
  requireDescriptor,
} from '@multi-image/digest-chain/oci';
import { TEKTON } from '@multi-image/kit/tekton';
import type { RecordedRun, Statement } from '@multi-image/tekton-local/testing';
import type { KubeApi, KubeObject } from '../kube-api.ts';

// What Chains wrote of the runs of a namespace, and having it written again.

interface Result {
  readonly name: string;
  readonly value: string;
}

/** A run, or a task of one, as far as it is looked at. */
interface Ran extends KubeObject {
  readonly status?: { readonly results?: readonly Result[] };
}

const collection = (namespace: string, plural: string): string =>
  `/apis/tekton.dev/v1/namespaces/${namespace}/${plural}`;

async function list(api: KubeApi, namespace: string, plural: string): Promise<readonly Ran[]> {
  return ((await api.ask('GET', collection(namespace, plural))) as { items: readonly Ran[] }).items;
}

/** The runs of a namespace as they were made, with the results of their tasks and the statements at their images. */
export async function recordedRuns(api: KubeApi, namespace: string): Promise<readonly RecordedRun[]> {
  const [runs, tasks] = [await list(api, namespace, 'pipelineruns'), await list(api, namespace, 'taskruns')];
  const statements = (await Promise.all(imagesOf(tasks).map(statementsOf))).flat();
  const of = (kind: string, label: string, name: string): readonly Statement[] =>
    statements.filter((one) => one.predicate.buildType === `tekton.dev/v1/${kind}` && labelsOf(one)[label] === name);
  return runs.map(({ apiVersion, kind, metadata, spec }) => {
    const { name, labels = {}, annotations = {} } = metadata;
    const [statement, ...others] = of('PipelineRun', TEKTON.pipeline, name);
    if (statement === undefined || others.some((one) => JSON.stringify(one) !== JSON.stringify(statement))) {
      throw new Error(`${name} has ${statement === undefined ? 'no statement' : 'several statements'}`);
    }
    const own = tasks.filter((task) => task.metadata.labels?.[TEKTON.pipelineRun] === name);
    return {
      run: {
        ...{ apiVersion, kind, spec: spec as object },
        metadata: {
          name,
          labels: without(labels, /^tekton\.dev\//),
          annotations: without(annotations, /^(?:chains|results)\.tekton\.dev\//),
        },
      },
      results: Object.fromEntries(own.map((task) => [taskOf(task), task.status?.results ?? []])),
      statement,
      tasks: Object.fromEntries(
        of('TaskRun', TEKTON.pipelineRun, name).map((one) => [labelsOf(one)[TEKTON.pipelineTask] ?? '', one]),
      ),
    };
  });
}

const taskOf = ({ metadata }: Ran): string => metadata.labels?.[TEKTON.pipelineTask] ?? '';

function without(values: Readonly<Record<string, string>>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.test(name)));
}

function labelsOf({ predicate }: Statement): Readonly<Record<string, string>> {
  const { environment } = predicate.invocation as { environment?: { labels?: Record<string, string> } };
  return environment?.labels ?? {};
}

/** The images that tasks returned. */
function imagesOf(tasks: readonly Ran[]): readonly DigestReference[] {
  const images = tasks.flatMap(({ status }) => {
    const value = (wanted: string): string | undefined => status?.results?.find(({ name }) => name === wanted)?.value;
    const [url, digest] = [value('IMAGE_URL'), value('IMAGE_DIGEST')?.trim()];
    if (url === undefined || digest === undefined) return [];
    return [parseDigestReference(`${url.trim().replace(/:[^/]*$/, '')}@${digest}`)];
  });
  return [...new Map(images.map((image) => [formatReference(image), image])).values()];
}

const registry = createRegistry({ plainHttp: true });

async function statementsOf(image: DigestReference): Promise<readonly Statement[]> {
  const tag = attachmentTag(image.digest, 'att');
  if ((await registry.headManifest(image, tag)) === undefined) return [];
  const { bytes } = await registry.getManifest(image, tag);
  const { layers } = decodeJson(bytes) as { layers: readonly object[] };
  return Promise.all(
    layers.map(async (layer) => {
      const { payload } = decodeJson(await registry.getBlob(image, requireDescriptor(layer))) as { payload: string };
      return JSON.parse(Buffer.from(payload, 'base64').toString()) as Statement;
    }),
  );
}

export interface SignAgain {
  readonly config: Readonly<Record<string, string>>;
  /** Whether a statement is as this configuration has it: by when Chains heeds one is told by nobody. */
  readonly isAsAsked: (statement: Statement) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Removes what Chains wrote of the runs of a namespace, and has it written again by a Chains with this configuration, which
 * is its alone until another one is given.
 */
export async function signAgain(
  api: KubeApi,
  namespace: string,
  { config, isAsAsked, signal }: SignAgain,
): Promise<void> {
  const { data } = (await api.ask('GET', CHAINS_CONFIG)) as { data: Record<string, string> };
  const others = Object.fromEntries(Object.keys(data).map((name) => [name, null]));
  await api.ask('PATCH', CHAINS_CONFIG, { data: { ...others, ...config } }, 'application/merge-patch+json');
  const tasks = await list(api, namespace, 'taskruns');
  for (let written: readonly Statement[] = []; written.length === 0 || !written.every(isAsAsked); ) {
    signal.throwIfAborted();
    await signOnce(api, namespace, tasks, signal);
    written = (await Promise.all(imagesOf(tasks).map(statementsOf))).flat();
  }
}

export const CHAINS_CONFIG = '/api/v1/namespaces/tekton-chains/configmaps/chains-config';

async function signOnce(api: KubeApi, namespace: string, tasks: readonly Ran[], signal: AbortSignal): Promise<void> {
  for (const image of imagesOf(tasks)) await removeSignatures(image);
  // Chains signs a run after its tasks.
  for (const [plural, items] of [
    ['taskruns', tasks],
    ['pipelineruns', await list(api, namespace, 'pipelineruns')],
  ] as const) {
    for (const { metadata } of items) {
      await api.ask(
        'PATCH',
        `${collection(namespace, plural)}/${metadata.name}`,
        FORGET,
        'application/merge-patch+json',
      );
    }
    while (
      !(await list(api, namespace, plural)).every(({ metadata }) => metadata.annotations?.[TEKTON.signed] === 'true')
    ) {
      signal.throwIfAborted();
      await sleep(200);
    }
  }
}

const FORGET = { metadata: { annotations: { [TEKTON.signed]: null } } };

/** By hand: the client of a product that never deletes can't (distribution-spec, "Deleting Manifests"). */
async function removeSignatures(image: DigestReference): Promise<void> {
  for (const kind of ['sig', 'att'] as const) {
    const found = await registry.headManifest(image, attachmentTag(image.digest, kind));
    if (found === undefined) continue;
    await fetch(`http://${image.registry}/v2/${image.repository}/manifests/${found.digest}`, { method: 'DELETE' });
  }
}
