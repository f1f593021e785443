import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './kube-api.ts';

interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
}

/** Kinds that have pods, which run here as processes of the cluster, beside the API server. */
const RUN_AS_PROCESSES = ['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'];

/** All objects in these files, and in the YAML files right in these folders. */
export function readObjects(...paths: readonly string[]): readonly KubeObject[] {
  return paths
    .flatMap((path) =>
      statSync(path).isDirectory()
        ? readdirSync(path)
            .filter((name) => name.endsWith('.yaml'))
            .map((name) => join(path, name))
        : [path],
    )
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')))
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

/** Those that are applied; what would run in pods is left out. */
export function withoutPods(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(({ kind }) => !RUN_AS_PROCESSES.includes(kind));
}

/** What a Deployment runs, of a single container. */
export interface DeployedProcess {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The environment as its pod would have it. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a Deployment runs its container. */
export function processOf(objects: readonly KubeObject[], name: string): DeployedProcess {
  const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  const { template } = (deployment?.spec ?? {}) as {
    template?: { spec: { serviceAccountName: string; containers: readonly Container[] } };
  };
  const [container] = template?.spec.containers ?? [];
  if (template === undefined || container === undefined) throw new TypeError(`there is no Deployment ${name}`);
  const namespace = deployment?.metadata.namespace ?? 'default';
  const env = (container.env ?? []).map(({ name: variable, value, valueFrom }) => {
    const { fieldRef } = (valueFrom ?? {}) as { fieldRef?: { fieldPath: string } };
    return [variable, fieldRef?.fieldPath === 'metadata.namespace' ? namespace : (value ?? '')];
  });
  return { namespace, serviceAccount: template.spec.serviceAccountName, env: Object.fromEntries(env) };
}
