import { DigestChainError, parsePublicKeys, type VerificationKey } from '@multi-image/digest-chain';
import type { Signers } from '../signers.ts';
import type { Cluster } from './api/cluster.ts';
import { type Finding, problem } from './finding.ts';

const NAMESPACES = ['tekton-pipelines', 'openshift-pipelines'];

/** Where Konflux publishes the key, for people. */
export const KEY_SECRET: string = `secret public-key in ${NAMESPACES.join(' or ')}`;

export const KEY_HINT = 'ask the cluster’s admin for Chains’ cosign.pub and name the file with --key';

/**
 * The keys that signatures on a cluster are verified with: those that the caller named; none at all where he named who may
 * have signed with a certificate instead; else those of the cluster's Chains.
 */
export async function keysOf(
  { keys, identities = [] }: Pick<Signers, 'keys' | 'identities'>,
  cluster: Cluster,
): Promise<readonly VerificationKey[] | Finding | undefined> {
  return keys ?? (identities.length > 0 ? [] : await readChainsKey(cluster));
}

/**
 * Chains' public keys, from the Secret that Konflux publishes them in; undefined where it can't be read, a finding where it
 * holds something else.
 */
async function readChainsKey(cluster: Cluster): Promise<readonly VerificationKey[] | Finding | undefined> {
  for (const namespace of NAMESPACES) {
    const pem = await cluster.publicKey(namespace);
    if (pem === undefined) continue;
    try {
      return parsePublicKeys(pem);
    } catch (error) {
      if (!(error instanceof DigestChainError)) throw error;
      return problem(`Chains' public key in ${namespace}: ${error.message}`, error.hint ?? KEY_HINT);
    }
  }
  return undefined;
}
