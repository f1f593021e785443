import { KONFLUX } from '@multi-image/kit/konflux';
import { PAC } from '@multi-image/kit/tekton';
import { entryImage, isEmbedded, linkingsOf } from '../chain/linking.ts';
import { type ChainPlan, type PlannedImage, pullRequestRepository } from '../chain/plan.ts';
import { chainName } from '../chain/release.ts';
import { noted, type Yaml, type YamlMap } from '../yaml/write.ts';
import { type Event, keyParams } from './demands.ts';
import { entryParam, extractPipeline } from './extract.ts';
import { clock, expiryParam, externalParam, imageParam, linkingTask, params, repositoryParam } from './wiring.ts';

/**
 * The PipelineRun that Pipelines as Code starts for a component on an event.
 *
 * @param folder Where the rendered files are in the repository: empty, or with a slash at its end.
 */
export function pipelineRun(image: PlannedImage, event: Event, chain: ChainPlan, folder: string): YamlMap {
  const builds = image === chain.primary;
  const pipeline = builds ? 'unified-build' : extractPipeline(image);
  const called = builds ? tasksOfBuild(chain) : ['extract-image'];
  const component = image.component ?? '';
  const timeout = builds ? chain.buildTimeout : chain.buildTimeout + chain.checksTimeout;
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: {
      name: `${component}-on-${event}`,
      namespace: chain.namespace,
      labels: {
        [KONFLUX.application]: chain.application,
        [KONFLUX.component]: component,
        [KONFLUX.pipelineType]: 'build',
        // Copied to the component's Snapshot.
        [KONFLUX.chain]: chain.release === 'chain' ? chainName(chain) : undefined,
        [KONFLUX.autoRelease]: chain.release === 'chain' && event === 'push' ? HELD : undefined,
      },
      annotations: {
        'build.appstudio.openshift.io/repo': `${chain.gitUrl}?rev={{revision}}`,
        [KONFLUX.commit]: '{{revision}}',
        'build.appstudio.redhat.com/target_branch': '{{target_branch}}',
        [KONFLUX.pullRequestNumber]: event === 'pull-request' ? '{{pull_request_number}}' : undefined,
        [`${PAC}cancel-in-progress`]: event === 'pull-request' ? 'true' : 'false',
        [`${PAC}max-keep-runs`]: '3',
        [`${PAC}on-cel-expression`]: onEvent(event, chain.branch),
        [`${PAC}pipeline`]: noted(
          'Pipelines as Code fetches these at the commit that it builds, and puts them into the run.',
          `${folder}pipeline/${pipeline}.yaml`,
        ),
        [`${PAC}task`]:
          called.length === 0 || chain.ownTasks !== 'source'
            ? undefined
            : `[${called.map((task) => `${folder}pipeline/tasks/${task}.yaml`).join(', ')}]`,
      },
    },
    spec: {
      pipelineRef: { name: pipeline },
      timeouts: noted(builds ? undefined : 'Longer than the build that it waits for.', { pipeline: clock(timeout) }),
      taskRunTemplate: { serviceAccountName: accountOf(image, event, chain) },
      workspaces: [{ name: 'git-auth', secret: { secretName: '{{ git_auth_secret }}' } }],
      params: params({
        'git-url': '{{source_url}}',
        revision: '{{revision}}',
        ...(builds ? buildParams(event, chain) : scannerParams(image, event, chain)),
      }),
    },
  };
}

function tasksOfBuild(chain: ChainPlan): string[] {
  const linking = new Set(linkingsOf(chain).map(({ by }) => linkingTask(by)));
  return [...(chain.external.length === 0 ? [] : ['resolve-image']), ...linking];
}

/** A component's Snapshot has the other components as they were last promoted: images of two commits. */
const HELD = noted("The component's Snapshot is not released: the chain's own one is.", 'false');

function buildParams(event: Event, chain: ChainPlan): Record<string, Yaml | undefined> {
  return {
    ...Object.fromEntries(
      chain.images.map((image) => [imageParam(image, chain.primary), revisionImage(image, event, chain)]),
    ),
    ...Object.fromEntries(
      chain.images.filter(isEmbedded).map((image) => [repositoryParam(image), repositoryOf(image, event, chain)]),
    ),
    ...Object.fromEntries(chain.external.map((image) => [externalParam(image), image.image])),
    ...expiryParams(chain.images, event, chain),
    hermetic: chain.images.some(({ hermetic }) => hermetic) ? 'true' : undefined,
    'prefetch-input': prefetchInput(chain),
    'publish-latest': event === 'push' ? 'true' : noted('What is not merged is not latest.', 'false'),
  };
}

function scannerParams(image: PlannedImage, event: Event, chain: ChainPlan): Record<string, Yaml | undefined> {
  return {
    'output-image': revisionImage(image, event, chain),
    [entryParam(image, chain)]: noted(
      "Its own revision's, never latest: that may be of another commit.",
      revisionImage(entryImage(image, chain), event, chain),
    ),
    'wait-deadline': `${chain.buildTimeout}m`,
    ...expiryParams([], event, chain),
    ...keyParams(chain.buildSystem, event, '{{source_url}}'),
  };
}

function accountOf(image: PlannedImage, event: Event, { pullRequestAccount }: ChainPlan): Yaml {
  if (event === 'push' || pullRequestAccount === undefined) return image.serviceAccount;
  return noted(
    'Who opens a pull request decides what runs: this account pushes to nothing that is released.',
    pullRequestAccount,
  );
}

function repositoryOf(image: PlannedImage, event: Event, chain: ChainPlan): string {
  return event === 'push' ? image.repository : pullRequestRepository(image, chain);
}

function revisionImage(image: PlannedImage, event: Event, chain: ChainPlan): string {
  return `${repositoryOf(image, event, chain)}:${event === 'push' ? '' : 'on-pr-'}{{revision}}`;
}

/** When the images of a pull request expire; those that say nothing of their own, with the chain's. */
function expiryParams(images: readonly PlannedImage[], event: Event, chain: ChainPlan): Record<string, string> {
  if (event === 'push') return {};
  const own = images.flatMap((image) => {
    return image.pullRequestExpiry === undefined ? [] : [[expiryParam(image), image.pullRequestExpiry]];
  });
  return { 'image-expires-after': chain.pullRequestExpiry, ...Object.fromEntries(own) };
}

/** Everything that any image needs, once: the builds share what was fetched. */
function prefetchInput(chain: ChainPlan): string | undefined {
  const inputs = new Set(
    chain.images.flatMap((image) => image.prefetch.map((input) => JSON.stringify({ path: '.', ...input }))),
  );
  return inputs.size === 0 ? undefined : `[${[...inputs].join(', ')}]`;
}

function onEvent(event: Event, branch: string): string {
  return `event == "${event === 'push' ? 'push' : 'pull_request'}" && target_branch == ${JSON.stringify(branch)}`;
}
