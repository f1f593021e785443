/** The interface of a catalog task: what it takes and what it puts out. */
export interface CatalogInterface {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Those of the parameters that are arrays. */
  readonly arrays: readonly string[];
  readonly results: readonly string[];
  readonly workspaces: readonly string[];
}

const task = (part: Partial<CatalogInterface>): CatalogInterface => ({
  required: [],
  optional: [],
  arrays: [],
  results: [],
  workspaces: [],
  ...part,
});

const BUILDAH = {
  required: ['IMAGE', 'SOURCE_ARTIFACT'],
  optional: [
    'CACHI2_ARTIFACT',
    'DOCKERFILE',
    'CONTEXT',
    'BUILD_ARGS',
    'BUILD_ARGS_FILE',
    'LABELS',
    'ANNOTATIONS',
    'HERMETIC',
    'PREFETCH_INPUT',
    'COMMIT_SHA',
    'SOURCE_URL',
    'IMAGE_EXPIRES_AFTER',
    'BUILDAH_FORMAT',
    'SOURCE_DATE_EPOCH',
    'REWRITE_TIMESTAMP',
    'OMIT_HISTORY',
    'HTTP_PROXY',
    'NO_PROXY',
  ],
  arrays: ['BUILD_ARGS', 'LABELS', 'ANNOTATIONS'],
  results: ['IMAGE_URL', 'IMAGE_DIGEST', 'IMAGE_REF', 'SBOM_BLOB_URL'],
};

const SCAN = { required: ['image-url', 'image-digest'] };

/** As https://github.com/konflux-ci/build-definitions documents the versions that are pinned. */
export const CATALOG: Readonly<Record<string, CatalogInterface>> = {
  init: task({ optional: ['enable-cache-proxy'], results: ['http-proxy', 'no-proxy'] }),
  'git-clone-oci-ta': task({
    required: ['url', 'ociStorage'],
    optional: ['revision', 'ociArtifactExpiresAfter'],
    results: [
      'SOURCE_ARTIFACT',
      'url',
      'commit',
      'commit-timestamp',
      'short-commit',
      'CHAINS-GIT_URL',
      'CHAINS-GIT_COMMIT',
    ],
    workspaces: ['basic-auth'],
  }),
  'prefetch-dependencies-oci-ta': task({
    required: ['input', 'SOURCE_ARTIFACT', 'ociStorage'],
    optional: ['ociArtifactExpiresAfter', 'enable-package-registry-proxy'],
    results: ['SOURCE_ARTIFACT', 'CACHI2_ARTIFACT'],
    workspaces: ['git-basic-auth', 'netrc'],
  }),
  'buildah-oci-ta': task(BUILDAH),
  'buildah-remote-oci-ta': task({ ...BUILDAH, required: [...BUILDAH.required, 'PLATFORM'] }),
  'build-image-index': task({
    required: ['IMAGE', 'IMAGES'],
    optional: ['ALWAYS_BUILD_INDEX', 'BUILDAH_FORMAT'],
    arrays: ['IMAGES'],
    results: ['IMAGE_URL', 'IMAGE_DIGEST', 'IMAGE_REF', 'IMAGES', 'SBOM_BLOB_URL'],
  }),
  'clair-scan': task({ ...SCAN, results: ['TEST_OUTPUT', 'IMAGES_PROCESSED', 'SCAN_OUTPUT', 'REPORTS'] }),
  'clamav-scan': task({ ...SCAN, results: ['TEST_OUTPUT', 'IMAGES_PROCESSED'] }),
  'deprecated-image-check': task({
    required: ['IMAGE_URL', 'IMAGE_DIGEST'],
    results: ['TEST_OUTPUT', 'IMAGES_PROCESSED'],
  }),
  'rpms-signature-scan': task({ ...SCAN, results: ['TEST_OUTPUT', 'RPMS_DATA', 'IMAGES_PROCESSED'] }),
  'apply-tags': task({
    required: ['IMAGE_URL', 'IMAGE_DIGEST'],
    optional: ['ADDITIONAL_TAGS'],
    arrays: ['ADDITIONAL_TAGS'],
  }),
  // Conforma's own, as far as it is called.
  'verify-enterprise-contract': task({
    required: ['IMAGES'],
    optional: ['POLICY_CONFIGURATION', 'PUBLIC_KEY', 'IGNORE_REKOR'],
    results: ['TEST_OUTPUT'],
  }),
};
