import type { PlannedExternal } from '../chain/external.ts';
import { externalOf, isEmbedded, type Linking, linkingsOf } from '../chain/linking.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { buildTasks } from './build-tasks.ts';
import { ownTaskRef, sourceArtifact } from './own-tasks.ts';
import {
  CACHE_PROXY_PARAM,
  checkTasks,
  cloneTask,
  GIT_RESULTS,
  initTask,
  SKIP_CHECKS_PARAM,
  SOURCE_PARAMS,
  WORKSPACES,
} from './shared-tasks.ts';
import {
  applyTagsTask,
  catalogTask,
  declare,
  expiryParam,
  externalParam,
  filesParam,
  finalTask,
  imageParam,
  imageResults,
  linkingTask,
  nameOfLinking,
  param,
  params,
  reference,
  releasedReference,
  repositoryParam,
  resolveTask,
  result,
  resultPrefix,
  when,
} from './wiring.ts';

/** The Pipeline that builds, links, checks and publishes every image of the chain in one run. */
export function unifiedBuild(chain: ChainPlan, pins: Pins): YamlMap {
  const { primary, buildOrder } = chain;
  const linkings = linkingsOf(chain);
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: 'unified-build' },
    spec: {
      description: `Builds ${chain.images.length} images in one run, links them by digest, and publishes them together`,
      params: declareParams(chain),
      workspaces: WORKSPACES,
      results: [
        ...imageResults(finalTask(primary), 'Image of the component, as it is released'),
        ...GIT_RESULTS,
        ...chain.images
          .slice(1)
          .flatMap((image) => imageResults(finalTask(image), `The ${image.role} image`, resultPrefix(image))),
      ],
      tasks: [
        initTask(pins),
        cloneTask(pins),
        ...chain.external.map((image) => resolveExternal(image, chain)),
        prefetchTask(pins),
        ...buildOrder.flatMap((image) => buildTasks(image, chain, pins)),
        ...linkings.map((linking) => linkTask(linking, chain)),
        ...checkedHere(chain).flatMap((image) =>
          checkTasks(pins, image.checks, finalTask(image), image === primary ? '' : `-${image.name}`),
        ),
        ...[...buildOrder].reverse().map((image) => latestTask(image, linkings, pins)),
      ],
    },
  };
}

/** Images that a scanner hands over are checked in the scanner's pipeline: the others in the build. */
function checkedHere(chain: ChainPlan): PlannedImage[] {
  return chain.images.filter((image) => image === chain.primary || image.component === undefined);
}

function declareParams(chain: ChainPlan): Yaml[] {
  return [
    ...SOURCE_PARAMS,
    ...chain.images.map((image) =>
      declare(imageParam(image, chain.primary), `Where the ${image.role} image goes: repository and revision tag`),
    ),
    ...chain.images
      .filter(isEmbedded)
      .map((image) =>
        declare(
          repositoryParam(image),
          `Repository of the ${image.role} image, without a tag: it is named by digest in what embeds it`,
        ),
      ),
    ...chain.external.map((image) =>
      declare(externalParam(image), `The ${image.role} image, which is built elsewhere: by tag or digest`),
    ),
    declare('image-expires-after', 'When the images expire, like 5d; empty for never', ''),
    ...chain.images
      .filter((image) => image.pullRequestExpiry !== undefined)
      .map((image) => declare(expiryParam(image), `When the ${image.role} image expires; empty for never`, '')),
    ...(chain.images.some(({ hermetic }) => hermetic) ? [declare('hermetic', 'Build without network', 'true')] : []),
    declare('prefetch-input', 'What to fetch before a hermetic build', ''),
    ...(checkedHere(chain).some(({ checks }) => checks.length > 0) ? [SKIP_CHECKS_PARAM] : []),
    noted(
      'A string, since Tekton compares strings. Pull requests leave it at false.',
      declare('publish-latest', 'Move the tag latest once everything is built, linked and verified', 'false'),
    ),
    CACHE_PROXY_PARAM,
  ];
}

/** Finds an image that was built elsewhere, once: all builds, and the statement, are given what it found. */
function resolveExternal(image: PlannedExternal, chain: ChainPlan): YamlMap {
  return {
    name: resolveTask(image),
    taskRef: ownTaskRef('resolve-image', chain),
    params: params({
      SOURCE_ARTIFACT: sourceArtifact(chain),
      IMAGE: param(externalParam(image)),
      ROLE: image.role,
    }),
  };
}

function prefetchTask(pins: Pins): YamlMap {
  return {
    name: 'prefetch-dependencies',
    taskRef: catalogTask(pins, 'prefetch-dependencies-oci-ta'),
    params: params({
      input: param('prefetch-input'),
      SOURCE_ARTIFACT: result('clone-repository', 'SOURCE_ARTIFACT'),
      ociStorage: '$(params.output-image).prefetch',
      ociArtifactExpiresAfter: param('image-expires-after'),
    }),
    workspaces: [{ name: 'git-basic-auth', workspace: 'git-auth' }],
  };
}

function linkTask(linking: Linking, chain: ChainPlan): YamlMap {
  const { image, by, linked } = linking;
  const external = externalOf(linking);
  return {
    name: nameOfLinking(linking),
    taskRef: ownTaskRef(linkingTask(by), chain),
    params: params({
      SOURCE_ARTIFACT: sourceArtifact(chain),
      ORIGIN: reference(`build-${image.name}`),
      LINKS: noted(
        by === 'label' ? 'What embeds this image, as it is released.' : 'The rest of the chain, as it is released.',
        linked.map((other) => `${other.role}=${releasedReference(other, chain)}`),
      ),
      EXTERNAL:
        external.length === 0
          ? undefined
          : noted(
              'What was built elsewhere, as it was found; where its tag moved since, nothing is published.',
              external.map((each) => `--external=${each.role}=${result(resolveTask(each), 'REFERENCE')}`),
            ),
      IMAGE: noted('The commit point: this tag is written last.', param(imageParam(image, chain.primary))),
      REVISION: result('clone-repository', 'commit'),
      LABEL_PREFIX: chain.labelPrefix,
      FILES: filesParam(image, chain),
    }),
  };
}

function latestTask(image: PlannedImage, linkings: readonly Linking[], pins: Pins): YamlMap {
  const task = finalTask(image);
  const last = linkings.filter(({ image: { embeds }, by }) => by === 'referrer' || embeds.length === 0);
  const runAfter = isEmbedded(image) ? image.embeddedBy.map(applyTagsTask) : last.map(nameOfLinking);
  const note = isEmbedded(image)
    ? 'Whoever enters the chain at latest must find what it links to: this one moves after those.'
    : 'Nothing becomes latest before the whole chain is linked and verified.';
  return {
    name: applyTagsTask(image),
    runAfter: runAfter.length === 0 ? undefined : noted(note, runAfter),
    when: when(param('publish-latest'), 'true'),
    taskRef: catalogTask(pins, 'apply-tags'),
    params: params({
      IMAGE_URL: result(task, 'IMAGE_URL'),
      IMAGE_DIGEST: result(task, 'IMAGE_DIGEST'),
      ADDITIONAL_TAGS: ['latest'],
    }),
  };
}
