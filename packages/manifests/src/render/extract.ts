import { entryImage } from '../chain/linking.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import type { Pins } from '../pins.ts';
import { noted, type YamlMap } from '../yaml/write.ts';
import { declareKey } from './demands.ts';
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
import { clock, declare, extractTask, filesParam, imageResults, param, params, result } from './wiring.ts';

/** The name of a scanner's Pipeline. */
export const extractPipeline = (image: PlannedImage): string => `extract-${image.role}`;

/** The parameter that says which image to wait for. */
export const entryParam = (image: PlannedImage, chain: ChainPlan): string => `${entryImage(image, chain).role}-image`;

/** A scanner's Pipeline: it builds nothing, waits for the build of its own revision, and hands one image to Konflux. */
export function extract(image: PlannedImage, chain: ChainPlan, pins: Pins): YamlMap {
  const task = extractTask(image);
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'Pipeline',
    metadata: { name: extractPipeline(image) },
    spec: {
      description: `Hands the ${image.role} image, which another pipeline builds, to Konflux`,
      params: [
        ...SOURCE_PARAMS,
        declare('output-image', `The ${image.role} image: repository and revision tag`),
        declare(
          entryParam(image, chain),
          `The ${entryImage(image, chain).role} image of the same revision, which links to the ${image.role} image`,
        ),
        noted(
          'Both pipelines start on the same push, so this one waits for the other.',
          declare('wait-deadline', 'How long to wait for that image', `${chain.buildTimeout}m`),
        ),
        declare('image-expires-after', 'When the source artifact expires, like 5d; empty for never', ''),
        ...declareKey('public-key', 'demands'),
        ...(image.checks.length > 0 ? [SKIP_CHECKS_PARAM] : []),
        CACHE_PROXY_PARAM,
      ],
      workspaces: WORKSPACES,
      results: [...imageResults(task, `The ${image.role} image, as it is released`), ...GIT_RESULTS],
      tasks: [
        initTask(pins),
        cloneTask(pins),
        {
          name: task,
          timeout: noted(
            'A task has an hour unless it says otherwise; waiting may take longer.',
            clock(chain.buildTimeout + Math.min(10, chain.checksTimeout)),
          ),
          taskRef: ownTaskRef('extract-image', chain),
          params: params({
            SOURCE_ARTIFACT: sourceArtifact(chain),
            IMAGE: param(entryParam(image, chain)),
            ROLE: image.role,
            REVISION: result('clone-repository', 'commit'),
            DEADLINE: param('wait-deadline'),
            LABEL_PREFIX: chain.labelPrefix,
            PUBLIC_KEY: param('public-key'),
            DEMANDS: ['$(params.demands[*])'],
            FILES: filesParam(entryImage(image, chain), chain),
          }),
        },
        ...checkTasks(pins, image.checks, task),
      ],
    },
  };
}
