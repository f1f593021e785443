import { checkAttestations } from './attestation/checks.ts';
import { EvidenceReader } from './attestation/evidence.ts';
import { demandsOf, type RunDemands } from './attestation/judge-run.ts';
import { ATTESTED, type Check, skipped } from './check.ts';
import type { Digest } from './digest.ts';
import { DigestChainError } from './errors.ts';
import { checkFiles, type NamingFiles } from './files/named-in-files.ts';
import { LabelNames } from './label-names.ts';
import { judgeProof, type Level } from './level.ts';
import { factsOf, treeOf } from './read-image.ts';
import { formatReference, nameOf, type Reference, repositoryName } from './reference.ts';
import type { CallOptions, RawManifest, Registry, Repository } from './registry/registry.ts';
import { withSignal } from './registry/with-call-options.ts';
import type { Link } from './seal/config.ts';
import { type ImageTree, readTreeSeal } from './seal/tree.ts';
import type { CertificateIdentity } from './signature/keyless.ts';
import type { VerificationKey } from './signature/keys.ts';
import { type Discovery, discoverStatements, givenStatement } from './statement/discover.ts';
import { followingLinks, type Limits, readerOf, withinDeadline } from './verify/limits.ts';
import { type LinkProof, type ProofContext, revisionOf } from './verify/proof.ts';
import { proveSeal } from './verify/seal-proof.ts';
import { proveStatements } from './verify/statement-proof.ts';

export interface VerifyOptions extends CallOptions, Limits, RunDemands {
  /** The git commit that every image must have been built from. */
  readonly revision?: string | undefined;
  readonly prefix?: string | undefined;
  /** The keys of the build system; with them level `attested` is asked for. */
  readonly keys?: readonly VerificationKey[] | undefined;
  /** Who may have signed with a certificate; beside keys, any of both. With them, too, level `attested` is asked for. */
  readonly identities?: readonly CertificateIdentity[] | undefined;
  /**
   * Where the images of these roles are now, of a chain that was copied: they are read there and not at their urls. What
   * digests say decides; another place than the labels name is no failure.
   */
  readonly at?: ReadonlyMap<string, Repository> | undefined;
  /** Files of images that have to name what these embed, by digest; their layers are read for it. */
  readonly files?: readonly NamingFiles[] | undefined;
  /** The names under which images of these roles are released: files may name them so, too. */
  readonly released?: ReadonlyMap<string, Repository> | undefined;
  /**
   * Whether a chain statement beside the labels is looked for and compared; true by default. Of a chain that was copied
   * without what is attached to it, the statement itself, as it was attached: then none is looked for.
   */
  readonly statement?: boolean | Uint8Array | undefined;
}

/** A proof: every check with its evidence. */
export interface Verification {
  readonly level: Level;
  /** The image that it started from, as it was asked for, and its digest. */
  readonly image: { readonly reference: string; readonly digest: Digest };
  /** The digest that others embed, once it was reconstructed. */
  readonly origin: Digest | undefined;
  readonly links: readonly Link[];
  /** All images of the chain as they are published, where they were read; all of them only where level `linked` holds. */
  readonly images: readonly {
    readonly role: string;
    readonly place: string;
    readonly digest: Digest;
    /** Built elsewhere, by what the statement says. */
    readonly external?: boolean | undefined;
  }[];
  readonly revision: string | undefined;
  readonly checks: readonly Check[];
}

/**
 * Proves from the registry alone that the images of a chain name each other by digest: two requests for each image, no
 * layers, and what statements and signatures take. Starts from any image of the chain: from a sealed one by its labels,
 * from another by the chain statement that is attached to it. A check that fails is reported, not thrown; what is thrown
 * means that nothing could be checked (the image is not there, the registry does not answer).
 *
 * ```ts
 * const { level } = await verify(createRegistry(), parseReference('quay.io/org/image1:v1')); // linked
 * ```
 */
export async function verify(
  client: Registry,
  reference: Reference,
  options: VerifyOptions = {},
): Promise<Verification> {
  // Of a malformed prefix nothing is asked.
  const names = new LabelNames(options.prefix);
  return withinDeadline(withSignal(client, options.signal), options, async (registry) => {
    const manifest = await registry.getManifest(reference, nameOf(reference));
    return proveFrom(registry, reference, manifest, names, options);
  });
}

/** As {@link verify}, from a manifest that was read already, by a client that heeds the signal. */
export async function verifyManifest(
  client: Registry,
  reference: Reference,
  manifest: RawManifest,
  names: LabelNames,
  options: VerifyOptions,
): Promise<Verification> {
  return withinDeadline(client, options, (registry) => proveFrom(registry, reference, manifest, names, options));
}

async function proveFrom(
  client: Registry,
  reference: Reference,
  manifest: RawManifest,
  names: LabelNames,
  {
    revision,
    at = new Map(),
    statement = true,
    files = [],
    released,
    keys = [],
    identities = [],
    ...demands
  }: VerifyOptions,
): Promise<Verification> {
  const repository = { registry: reference.registry, repository: reference.repository };
  const registry = followingLinks(client, repository, at.values());
  const tree = await treeOf(registry, reference, manifest);
  // What is wrong with one that was given is the caller's to hear: nothing else was asked for.
  const given = statement instanceof Uint8Array ? givenStatement(statement, manifest.digest) : undefined;
  const discover = async (): Promise<Discovery> => given ?? discoverStatements(registry, repository, manifest.digest);
  const context = { registry, readTree: readerOf(registry), repository, tree, names, revision, at, discover };
  const linked = await proveLinks(context, statement !== false);
  const proof = { ...linked, checks: [...linked.checks, ...(await proveFiles(registry, linked, files, released))] };
  const checks = [...proof.checks, ...(await attest(proof, new EvidenceReader(registry, keys, identities), demands))];
  return {
    level: judgeProof(checks).level,
    image: { reference: formatReference(reference), digest: manifest.digest },
    origin: proof.origin,
    links: proof.links,
    images: proof.members.map(({ role, repository: place, manifest: { digest }, external }) => {
      return { role, place: repositoryName(place), digest, external };
    }),
    revision: revisionOf(factsOf(tree)),
    checks,
  };
}

/** What is asked for: with keys or identities, that one of them signed. */
export function wantedLevel({ keys = [], identities = [] }: Pick<VerifyOptions, 'keys' | 'identities'>): Level {
  return keys.length + identities.length > 0 ? 'attested' : 'linked';
}

/** The checks of level `attested`, on top of a proof of level `linked` that holds. */
async function attest(
  { checks, members, revision }: LinkProof,
  reader: EvidenceReader,
  demands: RunDemands,
): Promise<readonly Check[]> {
  const failed = checks.find((check) => check.status === 'failed');
  const isAsked = wantedLevel(reader) === 'attested';
  if (isAsked && failed === undefined) return checkAttestations(reader, members, demandsOf(demands, revision));
  const reason = failed === undefined || !isAsked ? 'no key was given' : `needs ${failed.id}, which failed`;
  return ATTESTED.map((id) => skipped({ id }, reason));
}

/** The files of images that hang together; of others nothing is known that they could be compared with. */
async function proveFiles(
  registry: Registry,
  { checks, members }: LinkProof,
  files: readonly NamingFiles[],
  released: VerifyOptions['released'],
): Promise<readonly Check[]> {
  const failed = checks.find(({ status }) => status === 'failed');
  if (failed === undefined) return checkFiles(registry, members, files, released);
  return files.map(({ role }) => skipped({ id: 'named-in-files', role }, `needs ${failed.id}, which failed`));
}

async function proveLinks(context: ProofContext, statement: boolean): Promise<LinkProof> {
  const { names, tree, discover } = context;
  if (hasNoSeal(tree, names)) {
    const discovery = await discover();
    if (discovery.statements.length > 0) return proveStatements(context, discovery);
  }
  return proveSeal(context, { statement });
}

function hasNoSeal(tree: ImageTree, names: LabelNames): boolean {
  try {
    readTreeSeal(tree, names);
  } catch (error) {
    if (error instanceof DigestChainError) return error.code === 'NOT_SEALED';
    throw error;
  }
  return false;
}
