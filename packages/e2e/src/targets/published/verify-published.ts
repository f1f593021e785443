import { type Verification, type VerifyOptions, verify } from '@multi-image/digest-chain';
import {
  DigestChainError,
  LabelNames,
  parseReference,
  type Reference,
  type Registry,
} from '@multi-image/digest-chain/oci';
import type { Elsewhere } from '../../elsewhere.ts';
import { type Criterion, criterion, type Evidence, passed, skipped } from '../../judge/criterion.ts';
import { proofEvidence } from '../../judge/proof-evidence.ts';
import { type CriterionId, titlesOf } from '../../judge/titles.ts';
import type { Report } from '../../report/report.ts';
import { madeNow, pemOf, verdictOf } from '../../report/report-of.ts';
import { externalImages, type PublishedImage, publishedImages } from './published-images.ts';

export interface VerifyPublishedOptions extends VerifyOptions {
  /** Any image of the chain. */
  reference: string;
  /** Who may have signed with a certificate, for the commands in the report. */
  signer?: string | undefined;
  registry: Registry;
  /** How this machine reaches the registry, for the commands in the report. */
  plainHttp?: boolean;
  elsewhere?: Elsewhere | undefined;
}

/**
 * Proves published images without building anything, and judges the criteria that a registry can answer; the others are
 * skipped. Throws digest-chain's errors where nothing could be looked at.
 */
export async function verifyPublished(options: VerifyPublishedOptions): Promise<Report> {
  const began = Date.now();
  const { reference, signer, registry, plainHttp = false, elsewhere, ...demands } = options;
  const { keys = [], identities = [], at = new Map() } = demands;
  const names = new LabelNames(demands.prefix);
  const image = parseReference(reference);
  const proof = await verify(registry, image, demands).catch((error) => throwWithPlaces(registry, image, error));
  const published = await publishedImages(registry, image, proof, { names, at });
  const images = published.map((entry) => entry.image);
  const criteria = judgePublished(proof, published, keys.length + identities.length > 0);
  return {
    version: 1,
    target: 'published',
    ...verdictOf(criteria, [...keys, ...identities]),
    revision: proof.revision ?? 'unknown',
    ...madeNow(),
    uncommitted: [],
    labelPrefix: names.prefix,
    publicKeys: pemOf(keys),
    signer,
    external: externalImages(proof),
    images,
    runs: [],
    byHand: { plainHttp, elsewhere, copied: at.size > 0 },
    duration: Date.now() - began,
  };
}

/** Where the image itself answers, it is one that it leads to that does not: its chain may have been copied. */
async function throwWithPlaces(registry: Registry, image: Reference, error: unknown): Promise<never> {
  if (!(error instanceof DigestChainError) || !NO_ANSWER.has(error.code)) throw error;
  const there = await registry.headManifest(image, image.digest ?? image.tag ?? 'latest').catch(() => undefined);
  if (there === undefined) throw error;
  const { code, message, expected, found, hint } = error;
  const told =
    'the image itself is there: of a chain that was copied, give the places of the others (--at ROLE=REPOSITORY)';
  const details = { expected, found, hint: hint === undefined ? told : `${hint}; ${told}`, cause: error };
  throw new DigestChainError(code, message, details);
}

const NO_ANSWER: ReadonlySet<string> = new Set([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_TIMEOUT',
  'REGISTRY_ERROR',
  'UNAUTHORIZED',
]);

/** Which checks of the proof each criterion stands on. */
function judgePublished(
  { checks, level, image }: Verification,
  published: readonly PublishedImage[],
  withKey: boolean,
): readonly Criterion[] {
  const images = published.map((entry) => entry.image);
  const titleOf = (role: string): string =>
    published.find(({ provedAs }) => provedAs.includes(role))?.image.title ?? role;
  const evidence = (...ids: readonly string[]): Evidence[] =>
    checks.filter(({ id }) => ids.includes(id)).map((check) => proofEvidence(check, check.role && titleOf(check.role)));
  const run = 'what a run did is not in a registry; pnpm e2e and pnpm e2e --target tenant see it';
  const attested = withKey
    ? evidence('provenance', 'builder', 'source', 'built-by', 'build-args')
    : [skipped('provenance', 'no key was given: --key cosign.pub, or an identity, proves it by the signed provenance')];
  const extracted = images.slice(1).map(({ title }) => title);
  const titles = titlesOf(images, extracted);
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
