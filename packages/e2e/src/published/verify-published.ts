import {
  DEFAULT_PREFIX,
  parseReference,
  type Registry,
  type Verification,
  type VerificationKey,
  verify,
} from '@multi-image/digest-chain';
import { type Criterion, criterion, type Evidence, passed, skipped } from '../criteria/criterion.ts';
import { proofEvidence } from '../criteria/proof-evidence.ts';
import { type CriterionId, titlesOf } from '../criteria/titles.ts';
import type { Report } from '../report/report.ts';
import { pemOf, verdictOf } from '../report/report-of.ts';
import { type PublishedImage, publishedImages } from './published-images.ts';

export interface VerifyPublishedOptions {
  /** Any image of the chain. */
  reference: string;
  keys?: readonly VerificationKey[] | undefined;
  revision?: string | undefined;
  prefix?: string | undefined;
  registry: Registry;
  /** How this machine reaches the registry, for the commands in the report. */
  plainHttp?: boolean;
  elsewhere?: { from: string; to: string } | undefined;
}

/**
 * Proves published images without building anything, and judges the criteria that a registry can answer; the others are
 * skipped. Throws digest-chain's errors where nothing could be looked at.
 */
export async function verifyPublished(options: VerifyPublishedOptions): Promise<Report> {
  const began = Date.now();
  const { registry, keys = [], revision, prefix, plainHttp = false, elsewhere } = options;
  const image = parseReference(options.reference);
  const proof = await verify(registry, image, {
    keys,
    ...(revision === undefined ? {} : { revision }),
    prefix: prefix ?? DEFAULT_PREFIX,
  });
  const published = await publishedImages(registry, image, proof, { prefix: prefix ?? DEFAULT_PREFIX });
  const images = published.map((entry) => entry.image);
  const seal = images.some(({ sealedDigest }) => sealedDigest !== null) ? 'label' : 'referrer';
  const criteria = judgePublished(proof, published, { seal, withKey: keys.length > 0 });
  return {
    version: 1,
    target: 'published',
    ...verdictOf(criteria, keys),
    revision: proof.revision ?? 'unknown',
    uncommitted: [],
    seal,
    labelPrefix: prefix ?? DEFAULT_PREFIX,
    publicKeys: pemOf(keys),
    images,
    runs: [],
    byHand: { plainHttp, elsewhere },
    duration: Date.now() - began,
  };
}

/** Which checks of the proof each criterion stands on. */
function judgePublished(
  { checks, level, image }: Verification,
  published: readonly PublishedImage[],
  { seal, withKey }: Pick<Report, 'seal'> & { withKey: boolean },
): readonly Criterion[] {
  const images = published.map((entry) => entry.image);
  const titleOf = (role: string): string =>
    published.find(({ provedAs }) => provedAs.includes(role))?.image.title ?? role;
  const evidence = (...ids: readonly string[]): Evidence[] =>
    checks
      .filter(({ id }) => ids.includes(id))
      .map(({ evidence: text, role, ...check }) => proofEvidence({ ...check, text }, role && titleOf(role)));
  const run = 'what a run did is not in a registry; pnpm e2e and pnpm e2e --target tenant see it';
  const attested = withKey
    ? evidence('provenance', 'build-args')
    : [skipped('provenance', 'no key was given: --key cosign.pub proves it by the signed provenance')];
  const extracted = images.slice(1).map(({ title }) => title);
  const titles = titlesOf(images, extracted, seal);
  const judged: Readonly<Record<CriterionId, readonly Evidence[]>> = {
    'single-pipeline': [...evidence('same-revision'), ...attested],
    'image-2-embeds-image-1': evidence('linked-image-exists', 'embeds-origin'),
    'image-1-labelled': [
      ...(level === 'none'
        ? []
        : [passed('level', `${image.reference} (${image.digest}) is proved at level ${level}`)]),
      ...evidence('link-present', 'origin-reconstructed', 'chain-statement'),
    ],
    'scanner-extracts': [skipped('run', run)],
    'scanned-and-signed': [
      ...(withKey ? evidence('signature') : [skipped('signature', 'no key was given')]),
      skipped('scan', 'results of scans are not in a registry'),
    ],
    'no-manual-step': [skipped('run', run)],
  };
  return (Object.keys(judged) as CriterionId[]).map((id) => criterion(id, titles[id], judged[id]));
}
