import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TektonLocalError } from '../errors.ts';
import { parseReference, requireTag, taggedName } from '../registry/reference.ts';
import { putManifest } from '../registry/registry-io.ts';
import type { StandIn, StandInContext } from '../stand-in.ts';
import { build, environment, push } from './buildah.ts';
import { pathInside } from './contained.ts';
import { findContainerfile } from './containerfile.ts';
import { list, refuseUnheeded, strings, text } from './param.ts';
import { machineName, type Platform, thisPlatform } from './platform.ts';
import { openPrivateStorage } from './private-storage.ts';
import { useTrustedArtifact } from './trusted-artifact.ts';

/** What the real task does with these, this one does not. */
export const UNHEEDED = [
  'ADDITIONAL_SECRET',
  'ADD_CAPABILITIES',
  'ANNOTATIONS_FILE',
  'ENV_VARS',
  'INHERIT_BASE_IMAGE_LABELS',
  'PREFETCH_INPUT',
  'CACHI2_ARTIFACT',
  'PRIVILEGED_NESTED',
  'WORKINGDIR_MOUNT',
];

/** `buildah-oci-ta`: builds an image with this machine's buildah and pushes it. No SBOM is made. */
export const buildahOciTa: StandIn = {
  task: 'buildah-oci-ta',
  params: {
    IMAGE: { type: 'string' },
    SOURCE_ARTIFACT: { type: 'string' },
    ADDITIONAL_BASE_IMAGES: { type: 'array', default: [] },
    ANNOTATIONS: { type: 'array', default: [] },
    BUILD_ARGS: { type: 'array', default: [] },
    ENV_VARS: { type: 'array', default: [] },
    LABELS: { type: 'array', default: [] },
    ...strings({
      ACTIVATION_KEY: 'activation-key',
      ADDITIONAL_SECRET: 'does-not-exist',
      ADD_CAPABILITIES: '',
      ANNOTATIONS_FILE: '',
      BUILDAH_FORMAT: 'oci',
      BUILD_ARGS_FILE: '',
      BUILD_TIMESTAMP: '',
      CACHI2_ARTIFACT: '',
      COMMIT_SHA: '',
      CONTEXT: '.',
      CONTEXTUALIZE_SBOM: 'true',
      DOCKERFILE: './Dockerfile',
      ENTITLEMENT_SECRET: 'etc-pki-entitlement',
      HERMETIC: 'false',
      HTTP_PROXY: '',
      ICM_KEEP_COMPAT_LOCATION: 'true',
      IMAGE_EXPIRES_AFTER: '',
      INHERIT_BASE_IMAGE_LABELS: 'true',
      LOG_LEVEL: 'info',
      NO_PROXY: '',
      OMIT_HISTORY: 'false',
      PREFETCH_INPUT: '',
      PRIVILEGED_NESTED: 'false',
      PROXY_CA_TRUST_CONFIG_MAP_KEY: 'ca-bundle.crt',
      PROXY_CA_TRUST_CONFIG_MAP_NAME: 'caching-ca-bundle',
      REWRITE_TIMESTAMP: 'false',
      SBOM_SKIP_VALIDATION: 'true',
      SBOM_SOURCE_SCAN_ENABLED: 'true',
      SBOM_SYFT_SELECT_CATALOGERS: '',
      SBOM_TYPE: 'spdx',
      SKIP_INJECTIONS: 'false',
      SKIP_SBOM_GENERATION: 'false',
      SKIP_UNUSED_STAGES: 'true',
      SOURCE_DATE_EPOCH: '',
      SOURCE_URL: '',
      SQUASH: 'false',
      STORAGE_DRIVER: 'overlay',
      TARGET_STAGE: '',
      TLSVERIFY: 'true',
      WORKINGDIR_MOUNT: '',
      YUM_REPOS_D_FETCHED: 'fetched.repos.d',
      YUM_REPOS_D_SRC: 'repos.d',
      YUM_REPOS_D_TARGET: '/etc/yum.repos.d',
      caTrustConfigMapKey: 'ca-bundle.crt',
      caTrustConfigMapName: 'trusted-ca',
    }),
  },
  results: ['IMAGE_DIGEST', 'IMAGE_REF', 'IMAGE_URL', 'SBOM_BLOB_URL'],
  run(context) {
    refuseUnheeded(context, buildahOciTa.params, UNHEEDED);
    return buildAndPush(context, text(context, 'IMAGE'), thisPlatform());
  },
};

/** Builds for a platform and pushes, with the params that all of the catalog's buildah tasks have. */
export async function buildAndPush(
  context: StandInContext,
  image: string,
  platform: Platform,
): Promise<Record<string, string>> {
  const target = parseReference(image);
  const source = join(context.workDir, 'source');
  const temporary = join(context.workDir, 'tmp');
  const { log, note, signal } = context;
  await mkdir(temporary, { recursive: true });
  const opening = openPrivateStorage(join(context.workDir, 'storage'), { env: environment(temporary), signal });
  // Awaited below; a failure before that must not count as unhandled.
  opening.catch(() => undefined);
  await useTrustedArtifact(text(context, 'SOURCE_ARTIFACT'), source, signal);
  const place = await findContainerfile(source, text(context, 'CONTEXT'), text(context, 'DOCKERFILE'));
  const epoch = timestamp(context);
  const format = buildFormat(context);
  const what = {
    ...place,
    buildArguments: await buildArguments(context, source),
    labels: {
      ...catalogLabels(context, platform, epoch ?? Math.floor(Date.now() / 1000)),
      ...assignments(context, 'LABELS'),
    },
    annotations: assignments(context, 'ANNOTATIONS'),
    epoch,
    target: text(context, 'TARGET_STAGE'),
    squash: text(context, 'SQUASH') === 'true',
    omitHistory: text(context, 'OMIT_HISTORY') === 'true',
    hermetic: text(context, 'HERMETIC') === 'true',
    images: context.images,
    platform,
  };
  const storage = await opening;
  try {
    await build({ ...what, temporary, storage, log, note, signal });
    const url = taggedName(target);
    const manifest = await push(target, { format, temporary, storage, log, note, signal });
    // The real task also leaves a tag that no other run can move.
    const own = { registry: target.registry, repository: target.repository, tag: requireTag(context.taskRunName) };
    await putManifest(own, manifest, signal);
    context.log(`Pushed ${url}@${manifest.digest}`);
    context.log('No SBOM is made locally: SBOM_BLOB_URL is empty.');
    return {
      IMAGE_URL: url,
      IMAGE_DIGEST: manifest.digest,
      IMAGE_REF: `${url}@${manifest.digest}`,
      SBOM_BLOB_URL: '',
    };
  } finally {
    await storage.remove();
  }
}

/** The time that everything in the image gets, in seconds; nothing where it is the time of the build. */
function timestamp(context: StandInContext): number | undefined {
  const [name, value] = ['SOURCE_DATE_EPOCH', 'BUILD_TIMESTAMP']
    .map((param) => [param, text(context, param)] as const)
    .find(([, given]) => given !== '') ?? ['', ''];
  if (value === '') return undefined;
  if (/^[0-9]{1,12}$/.test(value)) return Number(value);
  throw new TektonLocalError('INVALID', `param ${name} is not a time`, {
    expected: 'seconds since 1970',
    found: JSON.stringify(value),
  });
}

function buildFormat(context: StandInContext): 'oci' | 'docker' {
  const format = text(context, 'BUILDAH_FORMAT');
  if (format === 'oci' || format === 'docker') return format;
  throw new TektonLocalError('INVALID', 'param BUILDAH_FORMAT is unknown', {
    expected: 'oci or docker',
    found: JSON.stringify(format),
  });
}

/** The labels that Konflux' build gives every image. */
function catalogLabels(context: StandInContext, platform: Platform, epoch: number): Record<string, string> {
  const date = new Date(epoch * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  const labels: Record<string, string> = {
    architecture: machineName(platform),
    'vcs-type': 'git',
    'build-date': date,
    'org.opencontainers.image.created': date,
  };
  const add = (param: string, names: readonly string[]): void => {
    const value = text(context, param);
    if (value !== '') for (const name of names) labels[name] = value;
  };
  add('COMMIT_SHA', ['vcs-ref', 'org.opencontainers.image.revision']);
  add('SOURCE_URL', ['vcs-url', 'org.opencontainers.image.source']);
  add('IMAGE_EXPIRES_AFTER', ['quay.expires-after']);
  return labels;
}

function assignments(context: StandInContext, param: string): Record<string, string> {
  return Object.fromEntries(list(context, param).map((entry) => assignment(entry, `param ${param}`)));
}

/** BUILD_ARGS_FILE's, overridden by BUILD_ARGS. */
async function buildArguments(context: StandInContext, source: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const path = text(context, 'BUILD_ARGS_FILE');
  if (path !== '') {
    const file = await pathInside(source, path, 'the param BUILD_ARGS_FILE');
    for (const line of (await readFile(file, 'utf8')).split(/\r?\n/)) {
      if (line.trim() !== '' && !line.trimStart().startsWith('#')) found.set(...assignment(line.trim(), path));
    }
  }
  for (const entry of list(context, 'BUILD_ARGS')) found.set(...assignment(entry, 'param BUILD_ARGS'));
  return found;
}

function assignment(entry: string, where: string): [string, string] {
  const equals = entry.indexOf('=');
  if (equals > 0) return [entry.slice(0, equals), entry.slice(equals + 1)];
  throw new TektonLocalError('INVALID', `${where} holds something that is not name=value`, {
    found: JSON.stringify(entry),
  });
}
