import type { KonfluxCheck } from '../config/schema.ts';
import type { Pins } from '../pins.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { catalogTask, declare, param, params, result, when } from './wiring.ts';

/** Parameters that every pipeline needs to get the source. */
export const SOURCE_PARAMS: readonly YamlMap[] = [
  declare('git-url', 'URL of the git repository'),
  declare('revision', 'Commit to build'),
];

/** Results by which Konflux knows what was built from which commit. */
export const GIT_RESULTS: readonly YamlMap[] = [
  {
    name: 'CHAINS-GIT_URL',
    description: 'The git repository that was built',
    value: result('clone-repository', 'url'),
  },
  { name: 'CHAINS-GIT_COMMIT', description: 'The commit that was built', value: result('clone-repository', 'commit') },
];

export const WORKSPACES: readonly YamlMap[] = [
  { name: 'git-auth', description: 'Credentials for the git repository', optional: true },
];

export function initTask(pins: Pins): YamlMap {
  return {
    name: 'init',
    taskRef: catalogTask(pins, 'init'),
    params: params({ 'enable-cache-proxy': param('enable-cache-proxy') }),
  };
}

export const CACHE_PROXY_PARAM: YamlMap = declare('enable-cache-proxy', "Use the cluster's caching proxy", 'false');

export function cloneTask(pins: Pins): YamlMap {
  return {
    name: 'clone-repository',
    runAfter: ['init'],
    taskRef: catalogTask(pins, 'git-clone-oci-ta'),
    params: params({
      url: param('git-url'),
      revision: param('revision'),
      ociStorage: noted(
        'The source travels from task to task as an artifact in the registry.',
        '$(params.output-image).git',
      ),
      ociArtifactExpiresAfter: param('image-expires-after'),
    }),
    workspaces: [{ name: 'basic-auth', workspace: 'git-auth' }],
  };
}

export const SKIP_CHECKS_PARAM: YamlMap = declare('skip-checks', 'Leave out the checks of the finished image', 'false');

/**
 * Konflux's checks of what `task` put out.
 *
 * @param suffix Appended to the tasks' names, where one pipeline checks several images.
 */
export function checkTasks(pins: Pins, checks: readonly KonfluxCheck[], task: string, suffix = ''): YamlMap[] {
  return checks.map((check) => {
    const [url, digest] =
      check === 'deprecated-image-check' ? ['IMAGE_URL', 'IMAGE_DIGEST'] : ['image-url', 'image-digest'];
    return {
      name: `${check}${suffix}`,
      when: when(param('skip-checks'), 'false'),
      taskRef: catalogTask(pins, check),
      params: params({ [url]: result(task, 'IMAGE_URL'), [digest]: result(task, 'IMAGE_DIGEST') }),
    };
  });
}
