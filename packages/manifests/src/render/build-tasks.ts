import { platformSuffix } from '../chain/names.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import {
  buildTask,
  catalogTask,
  clock,
  expiryParam,
  imageParam,
  param,
  params,
  reference,
  repositoryParam,
  resolveTask,
  result,
  unlinkedSuffix,
} from './wiring.ts';

/** The tasks that build one image: one; or, for several platforms, one each and one that joins them in an index. */
export function buildTasks(image: PlannedImage, chain: ChainPlan, pins: Pins): YamlMap[] {
  const suffix = unlinkedSuffix(image, chain);
  const target = param(imageParam(image, chain.primary)) + suffix;
  const note = suffix
    ? "Not the revision's tag yet: nobody may see this image under it before it is linked.\nThe tag stays, since registries collect manifests without one."
    : undefined;
  const timeout = clock(chain.buildTimeout);
  if (image.platforms.length === 0) {
    return [
      {
        name: buildTask(image),
        timeout,
        taskRef: catalogTask(pins, 'buildah-oci-ta'),
        params: params({ IMAGE: noted(note, target), ...buildParams(image, chain) }),
      },
    ];
  }
  const perPlatform = image.platforms.map((platform) => {
    const suffix = `-${platformSuffix(platform)}`;
    return { platform, name: buildTask(image) + suffix, target: target + suffix };
  });
  return [
    ...perPlatform.map(({ platform, name, target }) => ({
      name,
      timeout,
      taskRef: catalogTask(pins, 'buildah-remote-oci-ta'),
      params: params({ PLATFORM: platform, IMAGE: target, ...buildParams(image, chain) }),
    })),
    {
      name: buildTask(image),
      taskRef: catalogTask(pins, 'build-image-index'),
      params: params({
        IMAGE: noted(note, target),
        IMAGES: perPlatform.map(({ name }) => reference(name)),
        ALWAYS_BUILD_INDEX: 'true',
        BUILDAH_FORMAT: chain.imageFormat,
      }),
    },
  ];
}

function buildParams(image: PlannedImage, chain: ChainPlan): Record<string, Yaml | undefined> {
  const built = image.embeds.flatMap((embedded) => {
    const digest = result(buildTask(embedded), 'IMAGE_DIGEST');
    return linkArguments(embedded, digest, `${param(repositoryParam(embedded))}@${digest}`);
  });
  const external = image.embedsExternal.flatMap((embedded) => {
    const task = resolveTask(embedded);
    return linkArguments(embedded, result(task, 'DIGEST'), result(task, 'URL'));
  });
  const links = [...built, ...external];
  const further = Object.entries(image.buildArgs).map(([name, value]) => `${name}=${value}`);
  const args = [...links, ...further];
  const what =
    built.length === 0 ? 'was found' : external.length === 0 ? 'was just built' : 'was just built, or found,';
  const note = links.length === 0 ? undefined : `The link: the digest of what ${what} goes into this image.`;
  return {
    DOCKERFILE: image.containerfile,
    CONTEXT: image.context,
    SOURCE_ARTIFACT: result('prefetch-dependencies', 'SOURCE_ARTIFACT'),
    CACHI2_ARTIFACT: result('prefetch-dependencies', 'CACHI2_ARTIFACT'),
    PREFETCH_INPUT: param('prefetch-input'),
    HERMETIC: image.hermetic
      ? param('hermetic')
      : noted('Set in konflux.config.ts: this image needs the network.', 'false'),
    BUILD_ARGS: args.length === 0 ? undefined : noted(note, args),
    COMMIT_SHA: result('clone-repository', 'commit'),
    SOURCE_URL: result('clone-repository', 'url'),
    IMAGE_EXPIRES_AFTER: param(expiryParam(image)),
    BUILDAH_FORMAT: chain.imageFormat,
    SOURCE_DATE_EPOCH: noted(
      "Every time in the image is the commit's, so that the same commit gives the same digest.",
      result('clone-repository', 'commit-timestamp'),
    ),
    REWRITE_TIMESTAMP: 'true',
    OMIT_HISTORY: 'true',
    HTTP_PROXY: result('init', 'http-proxy'),
    NO_PROXY: result('init', 'no-proxy'),
  };
}

function linkArguments(
  { argumentPrefix, releaseRepository }: Pick<PlannedImage, 'argumentPrefix' | 'releaseRepository'>,
  digest: string,
  url: string,
): string[] {
  const released =
    releaseRepository === undefined ? [] : [`${argumentPrefix}_RELEASED_URL=${releaseRepository}@${digest}`];
  return [`${argumentPrefix}_DIGEST=${digest}`, `${argumentPrefix}_URL=${url}`, ...released];
}
