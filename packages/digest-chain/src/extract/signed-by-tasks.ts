import { CHAINS_BUILDER, knowsBuildType } from '../attestation/builders.ts';
import { isSignature } from '../attestation/document.ts';
import { EvidenceReader, type FoundClaim } from '../attestation/evidence.ts';
import type { RunDemands } from '../attestation/judge-run.ts';
import { commitOf, pullRequestOf } from '../attestation/run-event.ts';
import { textsOf } from '../attestation/type-hints.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { parseReference, type Reference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import type { CertificateIdentity } from '../signature/keyless.ts';
import type { VerificationKey } from '../signature/keys.ts';
import { followingLinks, withinDeadline } from '../verify/limits.ts';
import type { Verification } from '../verify.ts';

export interface TaskDemands extends Pick<RunDemands, 'builders' | 'allowPullRequest'> {
  readonly keys: readonly VerificationKey[];
  readonly identities?: readonly CertificateIdentity[] | undefined;
  readonly revision?: string | undefined;
}

/**
 * What can be proved of a chain before the run that built it has ended: the build system signed the image and those that
 * it links to, and attested the tasks which made them (Chains does both seconds after a task), all of one PipelineRun; the
 * task that sealed was called with the image as it was built, with all that is linked, and with the commit. What the run
 * was built from, and by which tasks, only its own attestation says, after it has ended. So does it alone for sure whether
 * that was a pull request: a PipelineRun's `taskRunSpecs` may give its TaskRuns labels of their own.
 *
 * Answers with the run's UID; throws what is missing (`SIGNATURE_MISSING`, `PROVENANCE_MISSING`, `PROVENANCE_MISMATCH`).
 */
export async function findTasksSigned(
  client: Registry,
  reference: Reference,
  proof: Verification,
  demands: TaskDemands,
): Promise<string> {
  return withinDeadline(followingLinks(client, reference, []), {}, async (registry) => {
    const reader = new EvidenceReader(registry, demands.keys, demands.identities);
    const runsOf = async (image: Reference, digest: Digest, calledWith: readonly string[]) => {
      const manifest = await registry.getManifest(image, digest);
      const { claims } = await reader.read(image, manifest);
      return { digest, runs: runsThatMade(digest, claims, calledWith, demands) };
    };
    const { digest } = proof.image;
    const sealing = proof.origin === undefined || proof.origin === digest ? [] : calledWith(proof, demands);
    const made = [await runsOf(reference, digest, sealing)];
    // What was built elsewhere, who built it signs.
    const external = new Set(proof.images.filter((image) => image.external).map(({ role }) => role));
    for (const link of proof.links.filter(({ role }) => !external.has(role)))
      made.push(await runsOf(parseReference(link.url), link.digest, []));
    const [first] = made;
    const run = [...(first?.runs ?? [])].find((uid) => made.every(({ runs }) => runs.has(uid)));
    if (run !== undefined) return run;
    throw new DigestChainError('PROVENANCE_MISMATCH', 'the images were made by tasks of different runs', {
      expected: 'tasks of one PipelineRun',
      found: made.map(({ digest, runs }) => `${digest}: ${[...runs].join(', ')}`).join('; '),
    });
  });
}

function calledWith({ origin, links }: Verification, { revision }: TaskDemands): readonly string[] {
  return [origin, ...links.map(({ digest }) => digest), revision].filter((text) => text !== undefined);
}

/** The PipelineRuns of which a task made this image, by the word of the build system. */
function runsThatMade(
  digest: Digest,
  claims: readonly FoundClaim[],
  calledWith: readonly string[],
  { builders = [CHAINS_BUILDER], allowPullRequest = false, revision }: TaskDemands,
): ReadonlySet<string> {
  if (!claims.some(isSignature)) {
    throw new DigestChainError('SIGNATURE_MISSING', 'the image is not signed by whom was asked for', {
      expected: `a signature of ${digest}`,
      found: `${claims.length} other signed documents`,
      hint: 'Tekton Chains signs seconds after the task that made an image has ended',
    });
  }
  const runs = new Set<string>();
  const reasons: string[] = [];
  for (const { provenance } of claims) {
    if (provenance?.of !== 'TaskRun') continue;
    const { builder = 'nobody', event, run, tasks } = provenance;
    const given = tasks.flatMap(({ params }) => [...params.values()].flatMap(textsOf));
    const has = (text: string): boolean => given.some((value) => value.includes(text));
    const missing = calledWith.find((text) => !has(text));
    const commit = commitOf(event) ?? revision;
    const request = allowPullRequest ? undefined : pullRequestOf(event);
    if (!builders.includes(builder) || !knowsBuildType(provenance))
      reasons.push(`it is of another builder: ${builder}`);
    else if (request !== undefined) reasons.push(`it is of a pull request: ${request}`);
    else if (revision !== undefined && commit !== revision)
      reasons.push(`its event was about ${textsOf(commit).join()}`);
    else if (has(digest)) reasons.push('it only passed the image on');
    else if (missing !== undefined) reasons.push(`it was not called with ${missing}`);
    else if (run === undefined) reasons.push('it belongs to no PipelineRun');
    else runs.add(run);
  }
  if (runs.size > 0) return runs;
  const message = 'no task that the build system attested made the image';
  const expected = `the provenance of the TaskRun that returned ${digest}`;
  if (reasons.length === 0) throw new DigestChainError('PROVENANCE_MISSING', message, { expected, found: 'none' });
  const found = [...new Set(reasons)].join('; ').slice(0, 500);
  throw new DigestChainError('PROVENANCE_MISMATCH', message, { expected, found });
}
