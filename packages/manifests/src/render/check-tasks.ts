import type { KonfluxCheck } from '../config/schema.ts';
import type { Pins } from '../pins.ts';
import type { YamlMap } from '../yaml/write.ts';
import { catalogTask, declare, param, params, result, when } from './wiring.ts';

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
