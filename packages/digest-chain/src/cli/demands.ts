import { isCommit } from '../../../kit/src/git-commit.ts';
import { isBundlePattern } from '../attestation/builders.ts';
import { isGitUrl } from '../attestation/git-source.ts';
import { readKeys } from '../attestation/key-files.ts';
import { type DemandValues, RUN_OPTIONS, SIGNER_OPTIONS } from '../options.ts';
import type { VerifyOptions } from '../verify.ts';
import { usage } from './arguments.ts';
import { readIdentities } from './identities.ts';

/** The options of the verbs that prove: what is demanded of a chain and of the run that built it. */
export const DEMANDS: typeof SIGNER_OPTIONS & typeof RUN_OPTIONS = { ...SIGNER_OPTIONS, ...RUN_OPTIONS };

/** Reads {@link SIGNER_OPTIONS} and {@link RUN_OPTIONS}; throws `USAGE` for what could never hold, and for what only a signature can say where there is no key. */
export async function readDemands(values: DemandValues): Promise<VerifyOptions> {
  const { revision, source, 'builder-id': builders, 'builder-task': builderTasks } = values;
  if (revision !== undefined && !isCommit(revision)) {
    throw usage(`--revision is no git commit of 40 or 64 hex digits: ${revision}`);
  }
  if (source !== undefined && !isGitUrl(source)) throw usage(`--source is no git URL: ${source}`);
  const odd = builderTasks?.find((pattern) => !isBundlePattern(pattern));
  if (odd !== undefined) {
    throw usage(`--builder-task is no bundle, as oci://quay.io/konflux-ci/tekton-catalog/*: ${odd}`);
  }
  const signed = (['source', 'builder-id', 'builder-task', 'allow-pull-request'] as const).find((name) => values[name]);
  if (signed !== undefined && !namesSigner(values)) {
    throw usage(`--${signed} needs --key or --certificate-identity: only what is signed says it`);
  }
  const keys = await readKeys(values.key);
  const identities = await readIdentities(values);
  return { keys, identities, revision, source, builders, builderTasks, allowPullRequest: values['allow-pull-request'] };
}

/** What a proof without a key leaves open. */
export const UNSIGNED = 'linked: who built the images is not known, for no public key was given';

/** Whether it is told who may have signed; `readIdentities` refuses what is incomplete. */
export function namesSigner(values: DemandValues): boolean {
  return Object.keys(SIGNER_OPTIONS).some((name) => values[name as keyof typeof SIGNER_OPTIONS] !== undefined);
}
