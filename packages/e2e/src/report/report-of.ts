import type { Check, VerificationKey, VerifyOptions } from '@multi-image/digest-chain';
import type { ChainPlan } from '@multi-image/manifests';
import manifest from '../../package.json' with { type: 'json' };
import { foundExternal, isSealed, runsOf } from '../judge/chain-view.ts';
import { type Criterion, extend } from '../judge/criterion.ts';
import type { Observation } from '../judge/observation.ts';
import { culpritOf, judgedByOneCause } from '../judge/one-cause.ts';
import { levelMissed, proofLevel } from '../judge/proof-evidence.ts';
import { title } from '../judge/wording.ts';
import { firstCause, type SourceFault } from './first-cause.ts';
import type { Report, ReportImage } from './report.ts';

const { name, version } = manifest;

/** The parts of a report that any target has: what was observed of the runs and the images, and how it was judged. */
export function reportOf(
  seen: Observation,
  criteria: readonly Criterion[],
  keys: readonly VerificationKey[],
  {
    chain,
    faults,
    identities = [],
  }: {
    chain: Pick<ChainPlan, 'application' | 'gitUrl'>;
    faults?: readonly SourceFault[];
    identities?: VerifyOptions['identities'];
  },
): Omit<Report, 'version' | 'target' | 'uncommitted' | 'baseImage' | 'cluster' | 'byHand' | 'duration'> {
  const verdict = verdictOf(criteria, [...keys, ...identities]);
  return {
    ...verdict,
    criteria: judgedByOneCause(verdict.criteria, culpritOf(seen, criteria)),
    cause: verdict.status === 'failed' ? firstCause(seen, criteria, faults) : undefined,
    ...madeNow(),
    application: chain.application,
    source: chain.gitUrl,
    signedBy: seen.signer,
    revision: seen.revision,
    labelPrefix: seen.labelNames.prefix,
    publicKeys: pemOf(keys),
    external: seen.external.map(({ role, named, note, standIn }) => {
      return { role, named, digest: foundExternal(seen.build, { role }).digest ?? null, note, standIn };
    }),
    images: imagesOf(seen),
    runs: runsOf(seen),
  };
}

/** What the criteria come to, and they themselves, with what keeps the proof from the level that was asked for. */
export function verdictOf(
  judged: readonly Criterion[],
  signers: readonly unknown[],
): Pick<Report, 'status' | 'level' | 'criteria'> {
  const criteria = extend(judged, { 'scanned-and-signed': levelMissed(judged, signers.length > 0) });
  const failed = criteria.some(({ status }) => status === 'failed');
  return { status: failed ? 'failed' : 'passed', level: proofLevel(criteria), criteria };
}

/** When, and by which version of this program. */
export function madeNow(): Pick<Report, 'date' | 'tool'> {
  return { date: new Date().toISOString(), tool: { name, version } };
}

/** Public keys as text, for whoever wants to check by hand. */
export function pemOf(keys: readonly VerificationKey[]): readonly string[] {
  return keys.map(({ key }) => String(key.export({ type: 'spki', format: 'pem' })));
}

/** The images of a chain as a report has them. */
function imagesOf({ images, revision }: Observation): readonly ReportImage[] {
  const checks = images.flatMap(({ proof }) => (proof === undefined || 'problem' in proof ? [] : proof));
  return images.map((image) => ({
    role: image.role,
    title: title(image),
    repository: image.repository,
    revisionTag: revision,
    embeds: image.embeds,
    originDigest: image.origin.digest ?? null,
    seal: image.embeddedBy.length > 0 ? image.seal : 'none',
    sealedDigest: isSealed(image) ? (image.published.digest ?? null) : null,
    latestDigest: image.latest.digest ?? null,
    signature: signatureOf(image.role, checks),
    ran: image.output !== undefined && 'exitCode' in image.output && image.expected === undefined,
  }));
}

/** What the verifier found of an image's signature. */
export function signatureOf(wanted: string, checks: readonly Check[]): ReportImage['signature'] {
  const check = checks.find(({ id, role }) => id === 'signature' && role === wanted);
  return check === undefined ? null : { status: check.status, text: check.evidence };
}

/** What is published under an image's name, by digest. */
export function publishedDigest({ sealedDigest, originDigest }: ReportImage): string | null {
  return sealedDigest ?? originDigest;
}
