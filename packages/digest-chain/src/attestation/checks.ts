import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { type Check, runCheck, skipped } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { nameOfIdentity, nameOfSubject } from '../signature/keyless.ts';
import type { AttestedImage } from './attested-image.ts';
import { knowsBuildType } from './builders.ts';
import { isSignature, type Signer } from './document.ts';
import type { Evidence, EvidenceReader, FoundClaim } from './evidence.ts';
import { type Demands, digestsOf, isSilent, judgeRun, type Run, unknownTo } from './judge-run.ts';

const logOf = ({ signer }: FoundClaim): string =>
  signer.kind === 'certificate' ? 'a transparency log has it' : 'no transparency log was checked';

/**
 * The checks of level `attested`: each image is signed (`signature`), and one signed document, the provenance of the
 * PipelineRun that built the chain, knows all its images (`provenance`) and stands up to what {@link judgeRun} asks of it.
 * Images that were built elsewhere are signed elsewhere: only what the run says of them is judged.
 *
 * Where several documents know all images, one that passes is enough, and without one the best is shown: what others say
 * adds nothing and takes nothing away. So a proof with fewer documents proves less, and nobody who hides one gains by it.
 */
export async function checkAttestations(
  reader: EvidenceReader,
  images: readonly AttestedImage[],
  demands: Demands,
): Promise<readonly Check[]> {
  if (new Set(images.map(({ role }) => role)).size < images.length) {
    throw new RangeError('two images have the same role');
  }
  const read = async (image: AttestedImage): Promise<Found> => ({
    image,
    evidence: await reader.read(image.repository, image.manifest),
  });
  const built = images.filter(({ external }) => !external);
  const found = await mapConcurrently(built, read, IMAGES_AT_ONCE);
  const signatures = await Promise.all(found.map((entry) => checkSignature(entry, reader)));
  return [...signatures, ...(await checkRuns(reader, found, images, demands))];
}

// Each may hold documents of MAX_DOCUMENT_SIZE together.
const IMAGES_AT_ONCE = 4;

interface Found {
  readonly image: AttestedImage;
  readonly evidence: Evidence;
}

async function checkSignature(
  { image, evidence }: Found,
  { keys, identities }: Pick<EvidenceReader, 'keys' | 'identities'>,
): Promise<Check> {
  const { check } = await runCheck({ id: 'signature', role: image.role }, () => {
    const claim = evidence.claims.find(isSignature);
    if (claim !== undefined) return { evidence: `${signedBy(claim)}; ${logOf(claim)}`, value: undefined };
    throw new DigestChainError('SIGNATURE_MISSING', 'the image is not signed by whom was asked for', {
      expected: `a signature of ${image.manifest.digest} by ${[...keys.map(nameOf), ...identities.map(nameOfIdentity)].join(' or ')}`,
      found: describeRejected([evidence]),
      hint: 'signatures are looked for at the tag sha256-<hex>.sig and among the referrers',
    });
  });
  return check;
}

async function checkRuns(
  reader: EvidenceReader,
  found: readonly Found[],
  images: readonly AttestedImage[],
  demands: Demands,
): Promise<readonly Check[]> {
  const digests = digestsOf(found.map(({ image }) => image));
  const runs = await withTaskRuns(reader, found, runsIn(found));
  const complete = runs.filter((run) => unknownTo(run, digests).length === 0);
  const provenance = await runCheck({ id: 'provenance' }, () => {
    const [run] = complete;
    if (run !== undefined) return { evidence: describeRun(run), value: undefined };
    throw noRun(runs, found, digests);
  });
  if (provenance.check.status !== 'passed') return [provenance.check, ...unjudged(images)];
  let best: readonly Check[] | undefined;
  for (const run of complete) {
    const judged = await judgeRun(run, images, demands);
    const checks = [{ ...provenance.check, evidence: describeRun(run) }, ...judged];
    if (best === undefined || saysMore(checks, best)) best = checks;
    if (count(best, 'passed') === best.length) break;
  }
  return best ?? [provenance.check];
}

/** What contradicts the chain lowers its level, so a run that contradicts it less goes before one that proves more. */
function saysMore(checks: readonly Check[], others: readonly Check[]): boolean {
  const fewer = count(others, 'failed') - count(checks, 'failed');
  return fewer > 0 || (fewer === 0 && count(checks, 'passed') > count(others, 'passed'));
}

function count(checks: readonly Check[], status: Check['status']): number {
  return checks.filter((check) => check.status === status).length;
}

function unjudged(images: readonly AttestedImage[]): readonly Check[] {
  const reason = 'needs provenance, which failed';
  const embedding = images.filter(({ embeds }) => embeds.length > 0);
  return [
    skipped({ id: 'builder' }, reason),
    skipped({ id: 'source' }, reason),
    ...images.map(({ role }) => skipped({ id: 'built-by', role }, reason)),
    ...embedding.map(({ role }) => skipped({ id: 'build-args', role }, reason)),
  ];
}

/** The PipelineRuns of which a signed document is attached to an image; Chains attaches one to every image of a run. */
function runsIn(found: readonly Found[]): readonly Run[] {
  const runs = new Map<unknown, Run>();
  for (const claim of found.flatMap(({ evidence }) => evidence.claims)) {
    const { provenance } = claim;
    if (provenance?.of !== 'PipelineRun') continue;
    // In a PipelineRun's provenance each task tells what it returned.
    const tasks = provenance.tasks.map((task) => ({ ...task, outputs: task.outputs ?? new Set<Digest>() }));
    runs.set(provenance, { claim, provenance, tasks });
  }
  return [...runs.values()];
}

/**
 * A run whose document lists no tasks (SLSA v1 with Chains' plain build type) is completed by those of its TaskRuns: by
 * those that say that they belong to it, for another run can't say how its tasks were called. They are attached to what
 * the tasks made, which is the origin of an image that was sealed, so more is read for them. A run that lists its tasks
 * has said all.
 */
async function withTaskRuns(
  reader: EvidenceReader,
  found: readonly Found[],
  runs: readonly Run[],
): Promise<readonly Run[]> {
  if (!runs.some(isSilent)) return runs;
  const origins = found.flatMap(({ image }) =>
    image.built.filter(({ digest }) => digest !== image.manifest.digest).map((built) => ({ image, built })),
  );
  const read = await mapConcurrently(
    origins,
    async ({ image, built }) => (await reader.read(image.repository, built)).claims,
    IMAGES_AT_ONCE,
  );
  const claims = [...found.flatMap(({ evidence }) => evidence.claims), ...read.flat()].filter(
    ({ provenance }) => provenance?.of === 'TaskRun',
  );
  return runs.map((run) => {
    if (!isSilent(run)) return run;
    const own = claims.filter(({ provenance }) => belongsTo(provenance, run));
    const tasks = own.flatMap(({ provenance, subjects }) =>
      (provenance?.tasks ?? []).map((task) => ({ ...task, outputs: subjects })),
    );
    return { ...run, tasks };
  });
}

function belongsTo(task: FoundClaim['provenance'], { provenance }: Run): boolean {
  return (
    task !== undefined &&
    provenance.run !== undefined &&
    task.run === provenance.run &&
    task.builder === provenance.builder &&
    knowsBuildType(task)
  );
}

function noRun(runs: readonly Run[], found: readonly Found[], digests: ReadonlySet<Digest>): DigestChainError {
  const rejected = describeRejected(found.map(({ evidence }) => evidence));
  const hint = 'provenance is looked for at the tag sha256-<hex>.att and among the referrers of all images';
  const expected = `one run that has all of them: ${[...digests].join(', ')}`;
  const [nearest] = runs
    .map((run) => ({ run, unknown: unknownTo(run, digests) }))
    .toSorted((a, b) => a.unknown.length - b.unknown.length);
  if (nearest === undefined) {
    const message = 'no signed provenance of a PipelineRun is attached';
    return new DigestChainError('PROVENANCE_MISSING', message, { expected, found: rejected, hint });
  }
  const { run, unknown } = nearest;
  const next = `the nearest of ${runs.length}, ${nameOfRun(run)}, does not name ${unknown.join(', ')}`;
  return new DigestChainError('PROVENANCE_MISSING', 'no signed provenance of one run has all images', {
    expected,
    found: `${next}; ${rejected}`,
    hint,
  });
}

function describeRun(run: Run): string {
  return `${nameOfRun(run)} has all images; ${signedBy(run.claim)}`;
}

function nameOfRun({ provenance }: Run): string {
  return provenance.run === undefined ? 'a PipelineRun' : `PipelineRun ${provenance.run}`;
}

function signedBy({ signer, source }: Pick<FoundClaim, 'signer' | 'source'>): string {
  return `signed by ${nameOf(signer)} (${source})`;
}

function nameOf(signer: Signer): string {
  return signer.kind === 'certificate'
    ? nameOfSubject(signer)
    : `${signer.kind} ${signer.id.slice(0, 'sha256:'.length + 12)}`;
}

function describeRejected(evidence: readonly Evidence[]): string {
  const claims = evidence.flatMap((each) => each.claims);
  const rejected = evidence.flatMap((each) => each.rejected);
  if (claims.length + rejected.length === 0) return 'nothing that is signed';
  const reasons = rejected.slice(0, 4).map(({ source, reason }) => `${source}: ${reason}`);
  return [`${claims.length} other signed documents`, ...reasons].join('; ').slice(0, 1000);
}
