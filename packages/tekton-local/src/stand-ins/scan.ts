import { parseReference, requireDigest } from '../registry/reference.ts';
import { getManifest } from '../registry/registry-io.ts';
import type { StandIn, StandInContext } from '../stand-in.ts';
import { strings, text } from './param.ts';

interface Scan {
  task: string;
  /** The names of the two params that name the image. */
  url: string;
  digest: string;
  params: Record<string, string>;
  namespace: string;
  /** Why there is nothing like it on this machine. */
  reason: string;
  /** Results beside TEST_OUTPUT and IMAGES_PROCESSED. */
  more: Record<string, string>;
}

const CA = { 'ca-trust-config-map-name': 'trusted-ca', 'ca-trust-config-map-key': 'ca-bundle.crt' };

const SCANS: readonly Scan[] = [
  {
    task: 'clair-scan',
    url: 'image-url',
    digest: 'image-digest',
    params: { 'image-platform': '', 'docker-auth': '', ...CA },
    namespace: 'default',
    reason: "Clair and its database of vulnerabilities are part of Konflux' task image",
    // No counts: zeros would say that nothing was found.
    more: { SCAN_OUTPUT: '{}', REPORTS: '{}' },
  },
  {
    task: 'clamav-scan',
    url: 'image-url',
    digest: 'image-digest',
    params: { 'image-arch': '', 'docker-auth': '', 'clamd-max-threads': '8', ...CA },
    namespace: 'required_checks',
    reason: "ClamAV and its signatures are part of Konflux' task image",
    more: {},
  },
  {
    task: 'deprecated-image-check',
    url: 'IMAGE_URL',
    digest: 'IMAGE_DIGEST',
    params: {
      POLICY_DIR: '/project/repository/',
      POLICY_NAMESPACE: 'required_checks',
      BASE_IMAGES_DIGESTS: '',
      CA_TRUST_CONFIG_MAP_NAME: 'trusted-ca',
      CA_TRUST_CONFIG_MAP_KEY: 'ca-bundle.crt',
    },
    namespace: 'required_checks',
    reason: 'the base images are read from an SBOM, which only Konflux makes',
    more: {},
  },
  {
    task: 'rpms-signature-scan',
    url: 'image-url',
    digest: 'image-digest',
    params: { workdir: '/tmp', ...CA },
    namespace: 'default',
    reason: "the verifier of RPM signatures is part of Konflux' task image",
    more: { RPMS_DATA: '{}' },
  },
];

/**
 * The checks that only Konflux can do. Each reads the image's manifest, so that a check of an image that isn't there
 * fails here as well, and then says SKIPPED, never SUCCESS.
 */
export const scans: readonly StandIn[] = SCANS.map((scan) => ({
  task: scan.task,
  params: { [scan.url]: { type: 'string' }, [scan.digest]: { type: 'string' }, ...strings(scan.params) },
  results: ['TEST_OUTPUT', 'IMAGES_PROCESSED', ...Object.keys(scan.more)],
  run: (context) => skip(scan, context),
}));

async function skip(scan: Scan, context: StandInContext): Promise<Record<string, string>> {
  const url = text(context, scan.url);
  const digest = requireDigest(text(context, scan.digest), scan.digest);
  const { registry, repository } = parseReference(url);
  await getManifest({ registry, repository, digest }, context.signal);
  const note = `Task ${scan.task} was skipped locally: ${scan.reason}.`;
  context.log(note);
  // The fields of Konflux' TEST_OUTPUT, in its order.
  const output = {
    result: 'SKIPPED',
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
    note,
    namespace: scan.namespace,
    successes: 0,
    failures: 0,
    warnings: 0,
  };
  return {
    TEST_OUTPUT: JSON.stringify(output),
    IMAGES_PROCESSED: JSON.stringify({ image: { pullspec: url, digests: [digest] } }),
    ...scan.more,
  };
}
