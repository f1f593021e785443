import type { Pins } from '../pins.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { catalogTask, declare, param, params, result } from './wiring.ts';

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
