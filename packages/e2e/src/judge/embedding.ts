import type { LabelNames } from '@multi-image/digest-chain/oci';
import { buildTasksOf, byRole, foundExternal, isPruned, knownDigest, PRUNED_REASON, taskOf } from './chain-view.ts';
import { type Evidence, equal, failed, passed, skipped } from './criterion.ts';
import type { Observation, ObservedExternal, ObservedImage } from './observation.ts';
import { outputEvidence } from './output.ts';
import { title } from './wording.ts';

/** Each image that embeds others was built with their digests, holds them, and prints them where it can be run. */
export function embedding(seen: Observation): Evidence[] {
  return seen.images.flatMap((image): Evidence[] => {
    const all = image.embeds.map((role) => {
      const embedded = byRole(seen.images, role);
      const digest = knownDigest(seen.build, embedded);
      return { embedded, digest, url: digest === undefined ? undefined : `${embedded.repository}@${digest}` };
    });
    const external = seen.external.filter(({ role }) => image.embedsExternal?.includes(role));
    if (all.length + external.length === 0) return [];
    const what = `what build-${image.name} (${title(image)}) was called with`;
    return [
      ...(isPruned(taskOf(seen.build, `build-${image.name}`))
        ? [skipped('build-args', `${what}: ${PRUNED_REASON}`)]
        : []),
      ...all.flatMap(({ embedded, digest, url }) => [
        ...buildArguments(seen, image, embedded, digest),
        ...held(image, embedded, seen.labelNames, { digest, url }),
      ]),
      ...external.flatMap((embedded) => [
        ...buildArguments(seen, image, embedded, foundExternal(seen.build, embedded).digest),
        ...named(image, embedded, seen.labelNames, foundExternal(seen.build, embedded)),
      ]),
      ...outputEvidence(
        image,
        all.map(({ embedded, digest, url }) => ({ title: title(embedded), digest, url })),
      ),
    ];
  });
}

/** What the tasks that built it were called with, where a run says so; the signed provenance proves it. */
function buildArguments(
  seen: Observation,
  image: ObservedImage,
  embedded: ObservedImage | ObservedExternal,
  digest = 'sha256:…',
): Evidence[] {
  const expected = `${embedded.argumentPrefix}_DIGEST=${digest}`;
  return buildTasksOf(seen, image).flatMap(({ name, buildArgs }) => {
    if (buildArgs === undefined) return [];
    const what = `${name} was called with ${nameOf(embedded)}'s digest`;
    return buildArgs.includes(expected)
      ? [passed('build-args', `${what}: --build-arg ${expected}`)]
      : [failed('build-args', what, expected, buildArgs.join('\n') || 'no build arguments')];
  });
}

function held(
  image: ObservedImage,
  embedded: ObservedImage,
  names: LabelNames,
  expected: { digest: string | undefined; url: string | undefined },
): Evidence[] {
  const { digest, problem } = embedded.origin;
  const present = `${title(embedded)} as built is in the registry, and its bytes hash to its digest`;
  return [equal('origin', present, expected.digest, digest ?? problem), ...named(image, embedded, names, expected)];
}

/** An image that was built elsewhere has no name for people but its role. */
function nameOf(embedded: ObservedImage | ObservedExternal): string {
  return 'name' in embedded ? title(embedded) : embedded.role;
}

function named(
  { name, origin }: ObservedImage,
  embedded: ObservedImage | ObservedExternal,
  names: LabelNames,
  expected: { digest: string | undefined; url: string | undefined },
): Evidence[] {
  const who = title({ name });
  const variable = embedded.argumentPrefix;
  const label = names.digestOf(embedded.role);
  const { env, labels } = origin;
  return [
    equal('env', `${who}: environment, ${variable}_DIGEST`, expected.digest, env[`${variable}_DIGEST`] || undefined),
    equal('env', `${who}: environment, ${variable}_URL`, expected.url, env[`${variable}_URL`] || undefined),
    equal('label', `${who}: label ${label}`, expected.digest, labels[label] || undefined),
  ];
}
