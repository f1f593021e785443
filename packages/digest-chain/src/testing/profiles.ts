import {
  absentManifest,
  basicAfterBearer,
  basicAlone,
  bearer,
  errorAnswer,
  limitsEvery,
  mountAnswer,
  NO_REFERRERS_API,
  type Quirk,
  referrersAnswer,
  referrersApi,
  refusesSubject,
  writeOnceTags,
} from './quirks.ts';

export * from './quirks.ts';

/** One way in which a product differs from CNCF distribution without a login, and where that is written. */
export interface Rule {
  /** What it does, as the end of a sentence that begins with the product. */
  readonly does: string;
  /** The public documentation or report that the rule models. */
  readonly source: string;
  readonly quirk: Quirk;
}

/** Who may push where a profile wants to know. */
export const PROFILE_LOGIN = { username: 'user', password: 'open sesame' } as const;

const CREDENTIALS = `${PROFILE_LOGIN.username}:${PROFILE_LOGIN.password}`;

const apiWithHeader = (source: string): Rule => ({
  does: 'lists referrers, and says `OCI-Subject` of what it indexed',
  source,
  quirk: referrersApi({ says: true }),
});

/**
 * How products that people use answer where the specification leaves it open, or says otherwise: the rules of each, for
 * {@link startQuirkProxy}, made anew for each proxy. They are models of what is written at their sources, not copies of the
 * products: a user of one can check them there.
 */
export const PROFILES: Readonly<Record<string, () => readonly Rule[]>> = {
  'Amazon ECR': () => [
    {
      does: 'wants Basic with every request',
      source: 'https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html',
      quirk: basicAlone(CREDENTIALS),
    },
    {
      does: 'refuses by 400 to write an immutable tag again',
      source: 'https://github.com/aws/containers-roadmap/issues/862',
      quirk: writeOnceTags(errorAnswer(400, 'TAG_INVALID')),
    },
    apiWithHeader(
      'https://aws.amazon.com/blogs/opensource/diving-into-oci-image-and-distribution-1-1-support-in-amazon-ecr',
    ),
  ],
  Artifactory: () => [
    {
      does: 'answers 406 to whoever asks for a list of referrers',
      source: 'https://github.com/google/go-containerregistry/issues/1962',
      quirk: referrersAnswer(NO_REFERRERS_API['406']),
    },
    {
      does: 'answers 403 for a tag that is not there to who has a restricted token',
      source: 'https://github.com/sigstore/cosign/issues/2973',
      quirk: absentManifest(403, /\/manifests\/[^:]+$/),
    },
  ],
  'Docker Hub': () => [
    {
      does: 'wants a token of its own service, which everyone gets for reading',
      source: 'https://docs.docker.com/reference/api/registry/auth',
      quirk: bearer(CREDENTIALS, { anonymousPull: true }),
    },
    {
      does: 'limits how often it is asked (429)',
      source: 'https://github.com/docker/docs/pull/21905/files',
      quirk: limitsEvery(20),
    },
    {
      does: 'lists no referrers',
      source: 'https://github.com/docker/roadmap/issues/724',
      quirk: referrersAnswer(NO_REFERRERS_API['404']),
    },
  ],
  'Docker Hub, early 2023': () => [
    {
      does: 'answers 404 to a manifest with a `subject`',
      source: 'https://github.com/docker/hub-feedback/issues/2307',
      quirk: refusesSubject(404),
    },
  ],
  'GitHub (GHCR)': () => [
    {
      does: 'answers 404 to whoever asks for a list of referrers',
      source: 'https://github.com/NVIDIA/aicr/issues/1957',
      quirk: referrersAnswer(errorAnswer(404, 'MANIFEST_UNKNOWN')),
    },
    {
      does: 'wants a token for reading public images as well, which everyone gets',
      source: 'https://github.com/orgs/community/discussions/204710',
      quirk: bearer(CREDENTIALS, { anonymousPull: true }),
    },
  ],
  GitLab: () => [
    {
      does: 'refuses by 401 to mount a blob of another project',
      source: 'https://github.com/estesp/manifest-tool/issues/53',
      quirk: mountAnswer(errorAnswer(401, 'UNAUTHORIZED')),
    },
    {
      does: 'wants a token of its own service',
      source: 'https://gitlab.com/gitlab-org/gitlab/-/merge_requests/147363',
      quirk: bearer(CREDENTIALS, { anonymousPull: true }),
    },
  ],
  Gitea: () => [
    {
      does: 'answers 401 first, for public images as well',
      source: 'https://github.com/go-gitea/gitea/issues/34402',
      quirk: bearer(CREDENTIALS, { anonymousPull: true }),
    },
  ],
  Harbor: () => [
    {
      does: 'wants Basic where a token was too weak',
      source: 'https://github.com/goharbor/harbor/issues/18856',
      quirk: basicAfterBearer(CREDENTIALS),
    },
    {
      does: 'refuses by 401 to mount a blob of another project',
      source: 'https://github.com/goharbor/harbor/issues/17097',
      quirk: mountAnswer(errorAnswer(401, 'UNAUTHORIZED')),
    },
    {
      does: 'refuses by 412 to write an immutable tag again',
      source: 'https://github.com/goharbor/harbor/pull/9427',
      quirk: writeOnceTags(errorAnswer(412, 'PRECONDITION')),
    },
    apiWithHeader('https://github.com/goharbor/harbor/issues/17928'),
  ],
  'Harbor before 2.8': () => [
    {
      does: 'answers 401 to whoever asks for a list of referrers',
      source: 'https://github.com/regclient/regclient/issues/389',
      quirk: referrersAnswer(NO_REFERRERS_API['401']),
    },
  ],
  Quay: () => [
    {
      does: 'lists referrers, and does not say so by `OCI-Subject`',
      source: 'https://github.com/opencontainers/distribution-spec/pull/563',
      quirk: referrersApi({ says: false }),
    },
  ],
  'Quay before 3.11': () => [
    {
      does: 'answers 400 to a manifest with a `subject`',
      source: 'https://github.com/quay/quay/pull/2659',
      quirk: refusesSubject(400),
    },
  ],
  zot: () => [apiWithHeader('https://github.com/project-zot/zot/issues/1410')],
};
