import type { EnvVar, Step, VolumeMount } from '../model.ts';

/**
 * A step with what its Task's template gives it, as Kubernetes merges a container into another: what is empty says nothing,
 * variables are merged by their names, mounts by their paths.
 */
export function withTemplate(own: Step, template: Step): Step {
  const inherited = template.env.map((item) => ({ ...item, inherited: true }));
  return {
    ...own,
    own,
    image: own.image || template.image,
    command: own.command?.length ? own.command : own.script === undefined ? template.command : undefined,
    args: own.args.length > 0 ? own.args : template.args,
    env: mergedBy(inherited, own.env, ({ name }) => name, mergedVariable),
    envFrom: own.envFrom.length > 0 ? own.envFrom : template.envFrom,
    workingDir: own.workingDir || template.workingDir,
    volumeMounts: mergedBy(template.volumeMounts, own.volumeMounts, ({ mountPath }) => mountPath, mergedMount),
    computeResources: own.computeResources ?? template.computeResources,
    limits: {
      memory: own.limits.memory ?? template.limits.memory,
      cpus: own.limits.cpus ?? template.limits.cpus,
    },
  };
}

/** A variable that says nothing is the template's. */
function mergedVariable(own: EnvVar, template: EnvVar): EnvVar {
  const isNothing = own.value === '' && own.from === undefined && own.ofPod === undefined;
  return isNothing ? template : own;
}

function mergedMount(own: VolumeMount, template: VolumeMount): VolumeMount {
  return {
    ...own,
    name: own.name || template.name,
    subPath: own.subPath || template.subPath,
    readOnly: own.readOnly || template.readOnly,
  };
}

/**
 * Merges two lists as a strategic merge patch does. What is the step's comes in its order; what is the template's alone
 * comes before the first of those that it is before in the template, and else after them: a variable may use those before
 * it.
 */
function mergedBy<Item>(
  template: readonly Item[],
  own: readonly Item[],
  keyOf: (item: Item) => string,
  merge: (own: Item, template: Item) => Item,
): Item[] {
  if (template.length === 0 || own.length === 0) return [...template, ...own];
  const places = new Map<string, number>();
  for (const [index, item] of template.entries()) {
    if (!places.has(keyOf(item))) places.set(keyOf(item), index);
  }
  const keys = [...new Set(own.map(keyOf))];
  const firsts = new Map(own.toReversed().map((item) => [keyOf(item), item] as const));
  const others = template.filter((item) => !firsts.has(keyOf(item)));
  const owns = keys.flatMap((key): Item[] => {
    const item = firsts.get(key);
    if (item === undefined) return [];
    const [first, ...more] = template.filter((candidate) => keyOf(candidate) === key);
    return first === undefined ? [item] : [merge(item, first), ...more];
  });
  const merged: Item[] = [];
  for (const item of owns) {
    const place = places.get(keyOf(item)) ?? -1;
    while (others[0] !== undefined && (places.get(keyOf(others[0])) ?? 0) < place) merged.push(...others.splice(0, 1));
    merged.push(item);
  }
  return [...merged, ...others];
}
