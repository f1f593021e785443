import type { ParseArgsConfig } from 'node:util';
import { isCommit } from '../../../kit/src/git-commit.ts';
import { isBundlePattern } from '../attestation/builders.ts';
import { isGitUrl } from '../attestation/git-source.ts';
import type { VerifyOptions } from '../verify.ts';
import { usage, type Values } from './arguments.ts';
import { IDENTITY_OPTIONS, readIdentities } from './identities.ts';
import { readKeys } from './keys.ts';

/** The options of the verbs that prove: what is demanded of a chain and of the run that built it. */
export const DEMANDS = {
  key: { type: 'string', multiple: true },
  ...IDENTITY_OPTIONS,
  revision: { type: 'string' },
  source: { type: 'string' },
  'builder-id': { type: 'string', multiple: true },
  'builder-task': { type: 'string', multiple: true },
  'allow-pull-request': { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

/** Reads {@link DEMANDS}; throws `USAGE` for what could never hold, and for what only a signature can say where there is no key. */
export async function readDemands(verb: string, values: Values<typeof DEMANDS>): Promise<VerifyOptions> {
  const { revision, source, 'builder-id': builders, 'builder-task': builderTasks } = values;
  if (revision !== undefined && !isCommit(revision)) {
    throw usage(verb, `--revision is no git commit of 40 or 64 hex digits: ${revision}`);
  }
  if (source !== undefined && !isGitUrl(source)) throw usage(verb, `--source is no git URL: ${source}`);
  const odd = builderTasks?.find((pattern) => !isBundlePattern(pattern));
  if (odd !== undefined) {
    throw usage(verb, `--builder-task is no bundle, as oci://quay.io/konflux-ci/tekton-catalog/*: ${odd}`);
  }
  const signed = (['source', 'builder-id', 'builder-task', 'allow-pull-request'] as const).find((name) => values[name]);
  if (signed !== undefined && !namesSigner(values)) {
    throw usage(verb, `--${signed} needs --key or --certificate-identity: only what is signed says it`);
  }
  const keys = await readKeys(values.key);
  const identities = await readIdentities(values);
  return { keys, identities, revision, source, builders, builderTasks, allowPullRequest: values['allow-pull-request'] };
}

/** What a proof without a key leaves open. */
export const UNSIGNED = 'linked: who built the images is not known, for no public key was given';

/** Whether it is told who may have signed; `readIdentities` refuses what is incomplete. */
export function namesSigner(values: Values<typeof DEMANDS>): boolean {
  return ['key', ...Object.keys(IDENTITY_OPTIONS)].some((name) => values[name as keyof typeof DEMANDS] !== undefined);
}
