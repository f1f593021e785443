import type { VerificationKey } from './attestation/keys.ts';
import { type Check, skipped } from './check.ts';
import type { Digest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { ATTESTED, judgeProof, type Level } from './level.ts';
import { factsOf, treeOf } from './read-image.ts';
import { formatReference, type Reference } from './reference.ts';
import type { RawManifest, Registry, Repository } from './registry/registry.ts';
import { DEFAULT_PREFIX, type Link, parsePrefix } from './seal/labels.ts';
import { type ImageTree, readTreeSeal } from './seal/tree.ts';
import { type LinkProof, type ProofContext, revisionOf } from './verify/proof.ts';
import { proveSeal } from './verify/seal-proof.ts';

export interface VerifyOptions {
  /** The git commit that every image must have been built from. */
  readonly revision?: string;
  readonly prefix?: string;
  /** The keys of the build system; with them level `attested` is asked for. */
  readonly keys?: readonly VerificationKey[];
  /**
   * Where the images of these roles are now, of a chain that was copied: they are read there and not at their urls. What
   * digests say decides; another place than the labels name is no failure.
   */
  readonly at?: ReadonlyMap<string, Repository>;
  /** Whether a chain statement beside the labels is looked for and compared; true by default. */
  readonly statement?: boolean;
}

/** A proof: every check with its evidence. */
export interface Verification {
  readonly level: Level;
  /** The image that it started from, as it was asked for, and its digest. */
  readonly image: { readonly reference: string; readonly digest: Digest };
  /** The digest that others embed, once it was reconstructed. */
  readonly origin: Digest | undefined;
  readonly links: readonly Link[];
  readonly revision: string | undefined;
  readonly checks: readonly Check[];
}

/**
 * Proves from the registry alone that the images of a chain name each other by digest: two requests for each image, no
 * layers, and what statements and signatures take. Starts from any image of the chain: from a sealed one by its labels,
 * from another by the chain statement that is attached to it. A check that fails is reported, not thrown; what is thrown
 * means that nothing could be checked (the image is not there, the registry does not answer).
 */
export async function verify(
  registry: Registry,
  reference: Reference,
  options: VerifyOptions = {},
): Promise<Verification> {
  parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const manifest = await registry.getManifest(reference, reference.digest ?? reference.tag ?? 'latest');
  return verifyManifest(registry, reference, manifest, options);
}

/** As {@link verify}, from a manifest that was read already. */
export async function verifyManifest(
  registry: Registry,
  reference: Reference,
  manifest: RawManifest,
  options: VerifyOptions = {},
): Promise<Verification> {
  const prefix = parsePrefix(options.prefix ?? DEFAULT_PREFIX);
  const tree = await treeOf(registry, reference, manifest);
  const facts = factsOf(tree);
  const repository = { registry: reference.registry, repository: reference.repository };
  const { revision, at = new Map() } = options;
  const context = { registry, repository, tree, facts, prefix, revision, at };
  const proof = await proveLinks(context, options.statement ?? true);
  const attested = await attest(registry, proof, options.keys ?? []);
  const checks = [...proof.checks, ...attested];
  return {
    level: judgeProof(checks).level,
    image: { reference: formatReference(reference), digest: manifest.digest },
    origin: proof.origin,
    links: proof.links,
    revision: revisionOf(facts),
    checks,
  };
}

/** What is asked for: with keys, that their owner signed. */
export function wantedLevel({ keys = [] }: Pick<VerifyOptions, 'keys'>): Level {
  return keys.length > 0 ? 'attested' : 'linked';
}

/** The checks of level `attested`; what they take is loaded only where there is a key. */
async function attest(
  registry: Registry,
  proof: LinkProof,
  keys: readonly VerificationKey[],
): Promise<readonly Check[]> {
  const failed = proof.checks.find((check) => check.status === 'failed');
  if (keys.length > 0 && failed === undefined) {
    return (await import('./verify/attested.ts')).proveAttested(registry, proof, keys);
  }
  const reason = failed === undefined || keys.length === 0 ? 'no key was given' : `needs ${failed.id}, which failed`;
  return ATTESTED.map((id) => skipped({ id }, reason));
}

async function proveLinks(context: ProofContext, statement: boolean): Promise<LinkProof> {
  const { prefix, registry, repository, tree } = context;
  if (hasNoSeal(tree, prefix)) {
    const { discoverStatements } = await import('./statement/discover.ts');
    const discovery = await discoverStatements(registry, repository, tree.manifest.digest);
    if (discovery.statements.length > 0) {
      return (await import('./verify/statement-proof.ts')).proveStatements(context, discovery);
    }
  }
  return proveSeal(context, { statement });
}

function hasNoSeal(tree: ImageTree, prefix: string): boolean {
  try {
    readTreeSeal(tree, prefix);
  } catch (error) {
    if (error instanceof DigestChainError) return error.code === 'NOT_SEALED';
    throw error;
  }
  return false;
}
