import type { EnvVar, ObjectSource, ResolvedRun, Task, Volume } from './model.ts';

/** Folders of this machine that stand for objects of a cluster, by their names: a file for each key, a claim's content. */
export interface ClusterObjects {
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  readonly configMaps?: Readonly<Record<string, string>> | undefined;
  readonly claims?: Readonly<Record<string, string>> | undefined;
}

/** The folder that stands for a ConfigMap or a Secret. */
export function folderOf(
  { kind, object }: ObjectSource,
  objects: ClusterObjects,
  name: string = object,
): string | undefined {
  return own(kind === 'secret' ? objects.secrets : objects.configMaps, name);
}

/** The folder that stands for a claim. */
export function claimFolder(objects: ClusterObjects, claim: string): string | undefined {
  return own(objects.claims, claim);
}

/** What is missing, and what to do about it. */
export function missingObject({ kind, object }: ObjectSource): string {
  const option = kind === 'secret' ? 'secret' : 'configmap';
  const word = kind === 'secret' ? 'Secret' : 'ConfigMap';
  return `there is no ${word} ${JSON.stringify(object)} on this machine; give a folder for it: --${option} ${object}=FOLDER`;
}

/** Notes what the Tasks of a run need of a cluster's objects, and nobody gave a folder for. */
export function checkObjects({ run, implementations }: ResolvedRun, objects: ClusterObjects): void {
  const checked = new Set<Task>();
  for (const { volumes } of [run.pod, ...run.pods.values()]) checkVolumes(volumes, [], objects);
  for (const { task } of implementations.values()) {
    if (checked.has(task)) continue;
    checked.add(task);
    const ofSteps = [...task.steps, ...task.sidecars].flatMap((step) => [
      ...step.envFrom.map(({ source }) => source),
      ...step.env.flatMap(({ from }: EnvVar) => from ?? []),
    ]);
    checkVolumes(task.volumes, ofSteps, objects);
  }
}

function checkVolumes(volumes: readonly Volume[], more: readonly ObjectSource[], objects: ClusterObjects): void {
  for (const source of [...volumes.flatMap((volume) => volume.sources), ...more]) {
    // A name with a variable is only known where it runs.
    if (source.optional || source.object.includes('$(') || folderOf(source, objects) !== undefined) continue;
    source.field.unsupported(missingObject(source));
  }
  for (const { claim, field } of volumes) {
    if (claim === undefined || claim.includes('$(') || claimFolder(objects, claim) !== undefined) continue;
    const hint = `give a folder for it: --claim ${claim}=FOLDER`;
    field.unsupported(`there is no PersistentVolumeClaim ${JSON.stringify(claim)} on this machine; ${hint}`);
  }
}

function own(folders: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return folders !== undefined && Object.hasOwn(folders, name) ? folders[name] : undefined;
}
