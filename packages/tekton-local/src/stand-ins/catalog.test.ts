import { expect, it } from 'vitest';
import { standIns, stepStandIns } from './index.ts';

/**
 * The interface of the catalog's tasks, as far as pipelines use it (quay.io/konflux-ci/tekton-catalog, the versions
 * pinned in the rendered pipelines). `[]` marks an array, `!` a param without default.
 */
const CATALOG: Record<string, { params: string; results: string; workspaces?: string }> = {
  init: { params: 'enable-cache-proxy', results: 'http-proxy no-proxy' },
  'git-clone-oci-ta': {
    params: 'url! revision ociStorage! ociArtifactExpiresAfter depth submodules fetchTags shortCommitLength',
    results: 'CHAINS-GIT_COMMIT CHAINS-GIT_URL SOURCE_ARTIFACT commit commit-timestamp merged_sha short-commit url',
    workspaces: 'basic-auth ssh-directory',
  },
  'prefetch-dependencies-oci-ta': {
    params: 'input! SOURCE_ARTIFACT! ociStorage! ociArtifactExpiresAfter enable-package-registry-proxy',
    results: 'CACHI2_ARTIFACT SOURCE_ARTIFACT',
    workspaces: 'git-basic-auth netrc',
  },
  'buildah-oci-ta': {
    params:
      'IMAGE! SOURCE_ARTIFACT! CACHI2_ARTIFACT DOCKERFILE CONTEXT BUILD_ARGS[] BUILD_ARGS_FILE LABELS[] ANNOTATIONS[] ' +
      'HERMETIC PREFETCH_INPUT COMMIT_SHA SOURCE_URL IMAGE_EXPIRES_AFTER BUILDAH_FORMAT SOURCE_DATE_EPOCH ' +
      'REWRITE_TIMESTAMP OMIT_HISTORY HTTP_PROXY NO_PROXY',
    results: 'IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'buildah-remote-oci-ta': {
    params:
      'PLATFORM! IMAGE_APPEND_PLATFORM IMAGE! SOURCE_ARTIFACT! CACHI2_ARTIFACT DOCKERFILE CONTEXT BUILD_ARGS[] BUILD_ARGS_FILE LABELS[] ANNOTATIONS[] ' +
      'HERMETIC PREFETCH_INPUT COMMIT_SHA SOURCE_URL IMAGE_EXPIRES_AFTER BUILDAH_FORMAT SOURCE_DATE_EPOCH ' +
      'REWRITE_TIMESTAMP OMIT_HISTORY HTTP_PROXY NO_PROXY',
    results: 'IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'build-image-index': {
    params: 'IMAGE! IMAGES[]! ALWAYS_BUILD_INDEX BUILDAH_FORMAT',
    results: 'IMAGES IMAGE_DIGEST IMAGE_REF IMAGE_URL SBOM_BLOB_URL',
  },
  'clair-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED REPORTS SCAN_OUTPUT TEST_OUTPUT' },
  'clamav-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED TEST_OUTPUT' },
  'deprecated-image-check': { params: 'IMAGE_URL! IMAGE_DIGEST!', results: 'IMAGES_PROCESSED TEST_OUTPUT' },
  'rpms-signature-scan': { params: 'image-url! image-digest!', results: 'IMAGES_PROCESSED RPMS_DATA TEST_OUTPUT' },
  'apply-tags': { params: 'IMAGE_URL! IMAGE_DIGEST! ADDITIONAL_TAGS[]', results: '' },
  'push-dockerfile-oci-ta': {
    params: 'IMAGE! IMAGE_DIGEST! DOCKERFILE CONTEXT SOURCE_ARTIFACT!',
    results: 'IMAGE_REF',
  },
};

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '');

it('has exactly the catalog’s tasks', () => {
  expect(standIns.map(({ task }) => task).sort()).toEqual(Object.keys(CATALOG).sort());
  expect(stepStandIns.map(({ image }) => image)).toEqual(['quay.io/konflux-ci/build-trusted-artifacts']);
});

it.each([...standIns].map((standIn) => [standIn.task, standIn] as const))(
  '%s looks as in the catalog',
  (task, standIn) => {
    const expected = CATALOG[task];
    const marked = Object.entries(standIn.params).map(
      ([name, { type, default: value }]) => `${name}${type === 'array' ? '[]' : ''}${value === undefined ? '!' : ''}`,
    );
    expect(marked).toEqual(expect.arrayContaining(words(expected?.params)));
    const required = (names: string[]): string[] => names.filter((name) => name.endsWith('!')).sort();
    expect(required(marked)).toEqual(required(words(expected?.params)));
    expect([...standIn.results].sort()).toEqual(words(expected?.results));
    expect([...(standIn.workspaces ?? [])]).toEqual(words(expected?.workspaces));
  },
);
