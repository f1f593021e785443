import type { StandInCall } from './run.ts';

export interface CallOptions {
  /** The registry. */
  readonly host: string;
  readonly source: { readonly url: string; readonly commit: string };
}

/** What {@link wholePipeline} builds, on a base image; `host` is a registry's. */
export function sourceFiles(base: string, host: string): Record<string, string> {
  return {
    'image/Containerfile': CONTAINERFILE.replaceAll('BASE_IMAGE', base),
    'image/with-network': PROBE.replaceAll('BASE_IMAGE', base).replaceAll('HOST', host.replace(':', ' ')),
    'image/foreign': 'FROM scratch\nCOPY file /file\n',
    'image/arguments': '# a comment\nFROM_FILE=file\nGREETING=overridden\n',
    file: 'content\n',
  };
}

/** Every stand-in, called as the rendered pipelines do. */
export function wholePipeline({ host, source }: CallOptions, tag: string): StandInCall[] {
  const image = `${host}/test/image:${tag}`;
  const built = '$(tasks.build.results.IMAGE_URL)';
  const digest = '$(tasks.build.results.IMAGE_DIGEST)';
  const remote = (architecture: string): StandInCall => ({
    name: `build-${architecture}`,
    task: 'buildah-remote-oci-ta',
    params: { ...building(`${image}-${architecture}`, 'image/foreign'), PLATFORM: `linux/${architecture}` },
  });
  const scan = (task: string): StandInCall => ({
    name: task,
    task,
    params: { 'image-url': built, 'image-digest': digest },
  });
  return [
    { name: 'init', task: 'init', params: { 'enable-cache-proxy': 'true' } },
    ...sourceOf(source, image),
    {
      name: 'build',
      task: 'buildah-oci-ta',
      params: {
        ...building(image, 'image/Containerfile'),
        BUILD_ARGS: ['GREETING=hello  `world` "$HOME"'],
        BUILD_ARGS_FILE: 'image/arguments',
        LABELS: ['vcs-type=other', 'more=a=b'],
        ANNOTATIONS: ['note=yes'],
        IMAGE_EXPIRES_AFTER: '5d',
        HTTP_PROXY: '$(tasks.init.results.http-proxy)',
      },
    },
    remote('amd64'),
    remote('arm64'),
    {
      name: 'index',
      task: 'build-image-index',
      params: {
        IMAGE: `${host}/test/index:${tag}`,
        IMAGES: ['amd64', 'arm64'].map(
          (name) => `$(tasks.build-${name}.results.IMAGE_URL)@$(tasks.build-${name}.results.IMAGE_DIGEST)`,
        ),
      },
    },
    ...['clair-scan', 'clamav-scan', 'rpms-signature-scan'].map(scan),
    { name: 'deprecated', task: 'deprecated-image-check', params: { IMAGE_URL: built, IMAGE_DIGEST: digest } },
    {
      name: 'apply-tags',
      task: 'apply-tags',
      params: { IMAGE_URL: built, IMAGE_DIGEST: digest, ADDITIONAL_TAGS: ['latest', `more-${tag}`] },
    },
    {
      name: 'apply-tags-to-index',
      task: 'apply-tags',
      params: {
        IMAGE_URL: '$(tasks.index.results.IMAGE_URL)',
        IMAGE_DIGEST: '$(tasks.index.results.IMAGE_DIGEST)',
        ADDITIONAL_TAGS: ['latest'],
      },
    },
  ];
}

/** Fetches the source, and prefetches nothing. */
function sourceOf(source: CallOptions['source'], image: string): StandInCall[] {
  return [
    {
      name: 'clone',
      task: 'git-clone-oci-ta',
      params: { url: source.url, revision: source.commit, ociStorage: `${image}.git` },
    },
    {
      name: 'prefetch',
      task: 'prefetch-dependencies-oci-ta',
      params: {
        input: '',
        SOURCE_ARTIFACT: '$(tasks.clone.results.SOURCE_ARTIFACT)',
        ociStorage: `${image}.prefetch`,
      },
    },
  ];
}

/** The params of a reproducible build from that source. */
export function building(image: string, containerfile: string): Record<string, string> {
  return {
    IMAGE: image,
    DOCKERFILE: containerfile,
    SOURCE_ARTIFACT: '$(tasks.prefetch.results.SOURCE_ARTIFACT)',
    CACHI2_ARTIFACT: '$(tasks.prefetch.results.CACHI2_ARTIFACT)',
    HERMETIC: 'true',
    COMMIT_SHA: '$(tasks.clone.results.commit)',
    SOURCE_URL: '$(tasks.clone.results.url)',
    SOURCE_DATE_EPOCH: '$(tasks.clone.results.commit-timestamp)',
    REWRITE_TIMESTAMP: 'true',
    OMIT_HISTORY: 'true',
  };
}

const CONTAINERFILE = `# The first stage is there for what the second takes from it.
ARG BASE=BASE_IMAGE
FROM \${BASE} AS maker
RUN echo made > /made
FROM $BASE
ARG GREETING=none
ARG FROM_FILE
LABEL greeting="$GREETING" from-file=$FROM_FILE
COPY --from=maker /made /made
COPY file \\
  /file
`;

const PROBE = 'FROM BASE_IMAGE\nRUN nc -w 5 HOST </dev/null\n';
