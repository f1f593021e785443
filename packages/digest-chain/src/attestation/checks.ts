import { mapConcurrently } from '../../../kit/src/concurrent.ts';
import { type Check, runCheck, skipped } from '../check.ts';
import type { Digest } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import type { RawManifest, Repository } from '../registry/registry.ts';
import { type Claim, isSignature } from './document.ts';
import type { Evidence, EvidenceReader, FoundClaim } from './evidence.ts';
import type { VerificationKey } from './keys.ts';
import type { ProvenanceTask } from './provenance.ts';

/** An image of a chain whose attestations are checked. */
export interface AttestedImage {
  readonly role: string;
  readonly repository: Repository;
  /** As it is published: what is signed. */
  readonly manifest: RawManifest;
  /** As it was built: what other images embed. */
  readonly origin: Digest;
  /** What its build tasks returned: the origin, or the origin's images where it is an index. */
  readonly built: readonly Digest[];
  /** The roles of the images that it embeds. */
  readonly embeds: readonly string[];
}

const NO_LOG = 'no transparency log was checked';

/**
 * The checks of level `attested`: each image is signed; for each image that embeds another there is one signed
 * provenance that has both as subjects, and in it the task that built the image was given the other's digest as a build
 * argument.
 */
export async function checkAttestations(
  reader: EvidenceReader,
  images: readonly AttestedImage[],
): Promise<readonly Check[]> {
  const read = async (image: AttestedImage): Promise<Found> => ({
    image,
    evidence: await reader.read(image.repository, image.manifest),
  });
  const found = await mapConcurrently(images, read, IMAGES_AT_ONCE);
  const byRole = new Map(found.map((entry) => [entry.image.role, entry]));
  if (byRole.size < images.length) throw new RangeError('two images have the same role');
  const checks = await Promise.all(found.map((entry) => checkSignature(entry, reader.keys)));
  for (const entry of found) {
    for (const role of entry.image.embeds) {
      const embedded = byRole.get(role);
      if (embedded === undefined) throw new RangeError(`no image has the role ${role}`);
      checks.push(...(await checkLink(entry, embedded)));
    }
  }
  return checks;
}

// Each may hold documents of MAX_DOCUMENT_SIZE together.
const IMAGES_AT_ONCE = 4;

interface Found {
  readonly image: AttestedImage;
  readonly evidence: Evidence;
}

async function checkSignature({ image, evidence }: Found, keys: readonly VerificationKey[]): Promise<Check> {
  const { check } = await runCheck({ id: 'signature', role: image.role }, () => {
    const claim = evidence.claims.find(isSignature);
    if (claim !== undefined) return { evidence: `${signedBy(claim)}; ${NO_LOG}`, value: undefined };
    throw new DigestChainError('SIGNATURE_MISSING', 'the image is not signed with a given key', {
      expected: `a signature of ${image.manifest.digest} by ${keys.map(nameOf).join(' or ')}`,
      found: describeRejected(evidence),
      hint: 'signatures are looked for at the tag sha256-<hex>.sig and among the referrers',
    });
  });
  return check;
}

async function checkLink(image: Found, embedded: Found): Promise<readonly Check[]> {
  const { role } = image.image;
  const wanted = [embedded.image.manifest.digest, image.image.manifest.digest] as const;
  const all = [...embedded.evidence.claims, ...image.evidence.claims].filter((claim) => claim.provenance !== undefined);
  const both = all.filter((claim) => wanted.every((digest) => claim.subjects.has(digest)));
  const provenance = await runCheck({ id: 'provenance', role }, () => {
    const [claim] = both;
    if (claim !== undefined) {
      const by = claim.provenance?.builder ?? 'an unnamed builder';
      return { evidence: `of ${by}, has both images as subjects; ${signedBy(claim)}`, value: undefined };
    }
    throw new DigestChainError('PROVENANCE_MISSING', 'no signed provenance has both images as subjects', {
      expected: wanted.join(' and '),
      found: `${all.length} with one of them; ${describeRejected(image.evidence)}`,
      hint: 'provenance is looked for at the tag sha256-<hex>.att and among the referrers of both images',
    });
  });
  if (provenance.check.status !== 'passed') {
    return [provenance.check, skipped({ id: 'build-args', role }, 'needs provenance, which failed')];
  }
  return [provenance.check, await checkBuildArgs(image, embedded.image, both)];
}

/** What the tasks that built the image were called with, by the provenance that has both images as subjects. */
async function checkBuildArgs(
  { image, evidence }: Found,
  embedded: AttestedImage,
  both: readonly FoundClaim[],
): Promise<Check> {
  const about = { id: 'build-args', role: image.role } as const;
  const claims = isSilent(both) ? evidence.claims.filter((claim) => claim.provenance?.of === 'TaskRun') : both;
  if (claims.length === 0) {
    const types = new Set(both.map((claim) => claim.provenance?.buildType));
    return skipped(about, `the provenance does not say how tasks were called (${[...types].join(', ')})`);
  }
  const found = image.built.map((digest) => buildersOf(claims, digest));
  const builders = found.flat();
  const { check } = await runCheck(about, () => {
    if (found.some((each) => each.length === 0)) {
      throw new DigestChainError('PROVENANCE_MISMATCH', 'the provenance names no task that built the image', {
        expected: `tasks with the result IMAGE_DIGEST = ${image.built.join(' and ')}`,
        found: claims
          .flatMap((claim) => claim.provenance?.tasks.map((task) => task.name) ?? [])
          .join(', ')
          .slice(0, 500),
      });
    }
    const wrong = builders.find((task) => givenAs(task, embedded.origin) === undefined);
    const [builder] = builders;
    if (wrong === undefined && builder !== undefined) {
      const argument = givenAs(builder, embedded.origin);
      return { evidence: `task ${builder.name} was called with ${argument}`, value: undefined };
    }
    throw new DigestChainError('PROVENANCE_MISMATCH', 'the task that built the image was called with something else', {
      expected: `BUILD_ARGS of ${wrong?.name} with one <name>=${embedded.origin}`,
      found: wrong?.buildArgs?.join(' ').slice(0, 500) || 'no BUILD_ARGS',
      hint: 'the image may name the other one without having been built from it',
    });
  });
  return check;
}

/**
 * Whether a run's provenance leaves out its tasks, as Chains' plain build type does. Only then do the TaskRuns' own stand
 * in for it: of a run that lists its tasks, another run can't say how they were called.
 */
function isSilent(claims: readonly FoundClaim[]): boolean {
  const runs = claims.filter((claim) => claim.provenance?.of === 'PipelineRun');
  return runs.length > 0 && runs.every((claim) => claim.provenance?.tasks.length === 0);
}

/**
 * The tasks that returned this digest. Others return it too (an index, a scanner), in this run or in another: only a
 * build takes build arguments.
 */
function buildersOf(claims: readonly Claim[], digest: Digest): readonly ProvenanceTask[] {
  const tasks = claims.flatMap(({ provenance, subjects }) =>
    (provenance?.tasks ?? []).filter((task) => (task.outputs ?? subjects).has(digest)),
  );
  const builders = tasks.filter((task) => task.buildArgs !== undefined);
  return builders.length > 0 ? builders : tasks;
}

/** The build argument that has the digest as its value. A name that is given twice has the value its builder chooses. */
function givenAs({ buildArgs = [] }: ProvenanceTask, digest: Digest): string | undefined {
  const given = buildArgs.filter((argument) => argument.endsWith(`=${digest}`));
  return given.find((argument) => {
    const name = argument.slice(0, argument.indexOf('=') + 1);
    return argument === `${name}${digest}` && buildArgs.filter((other) => other.startsWith(name)).length === 1;
  });
}

function signedBy({ key, source }: FoundClaim): string {
  return `signed by ${nameOf(key)} (${source})`;
}

function nameOf({ kind, id }: VerificationKey): string {
  return `${kind} ${id.slice(0, 'sha256:'.length + 12)}`;
}

function describeRejected({ claims, rejected }: Evidence): string {
  if (claims.length + rejected.length === 0) return 'nothing that is signed';
  const reasons = rejected.slice(0, 4).map(({ source, reason }) => `${source}: ${reason}`);
  return [`${claims.length} other signed documents`, ...reasons].join('; ').slice(0, 1000);
}
