import { type DigestReference, parseReference, type Reference, type Registry } from '@multi-image/digest-chain/oci';
import { bundledTasks, OWN_TASKS_VERSION, type Pins } from '@multi-image/manifests';
import { policyFiles } from '@multi-image/policy';
import { pushArtifact, type Source } from './artifact.ts';
import { policyBundle } from './policy-bundle.ts';
import { bundleProgram } from './program.ts';
import { trustedTasksRuleData } from './rule-data.ts';
import { pushRunner } from './runner.ts';
import { tektonBundle } from './tekton-bundle.ts';

/** What was published, each by tag and digest, and what a policy needs to trust the tasks. */
export interface Published {
  readonly runner: string;
  readonly tasks: string;
  readonly policy: string;
  readonly ruleData: string;
}

/** The names of the repositories, below the registry and organisation that are given. */
export const REPOSITORIES = { runner: 'chain-runner', tasks: 'chain-tasks', policy: 'chain-policy' } as const;

/**
 * Publishes what a chain needs of this repository, as one commit has it, under the tag of that commit: the image that the
 * tasks run in, the tasks, and the policy. The same commit gives the same digests. Throws what the registries do, and
 * `BASE_INVALID`.
 */
export async function publish(
  registry: Registry,
  options: {
    /** Registry and organisation: `quay.io/my-org`. */
    readonly prefix: string;
    /** Root of the repository. */
    readonly root: string;
    readonly source: Source;
    /** What the runner image is made on. */
    readonly base: DigestReference;
    readonly pins: Pins;
  },
): Promise<Published> {
  const { prefix, root, source, base, pins } = options;
  const tag = source.revision;
  const place = (repository: string): Reference => parseReference(`${prefix}/${repository}:${tag}`);
  const reference = (repository: string, digest: string): string => `${prefix}/${repository}:${tag}@${digest}`;
  const program = await bundleProgram(root);
  const made = await pushRunner(registry, { base, place: place(REPOSITORIES.runner), tag, program, source });
  const runner = reference(REPOSITORIES.runner, made);
  const bundle = tektonBundle(bundledTasks(runner, pins), OWN_TASKS_VERSION, source);
  const tasks = reference(REPOSITORIES.tasks, await pushArtifact(registry, place(REPOSITORIES.tasks), tag, bundle));
  const pushed = await pushArtifact(registry, place(REPOSITORIES.policy), tag, policyBundle(policyFiles(), source));
  return {
    runner,
    tasks,
    policy: reference(REPOSITORIES.policy, pushed),
    ruleData: trustedTasksRuleData(`${prefix}/${REPOSITORIES.tasks}`),
  };
}
