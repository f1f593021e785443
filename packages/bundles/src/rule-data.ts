import { OWN_TASKS_VERSION } from '@multi-image/manifests';
import { stringify } from 'yaml';

/**
 * What a release policy of Conforma needs to trust the tasks (`trusted_task_rules`): its patterns name a repository, never
 * a digest. Which version it is, Conforma reads from the bundle's annotation.
 *
 * @param repository Of the bundle, without a tag.
 */
export function trustedTasksRuleData(repository: string): string {
  const [major = '0', minor = '0'] = OWN_TASKS_VERSION.split('.');
  const rule = {
    pattern: `oci://${repository}`,
    versions: [`>=${OWN_TASKS_VERSION}`, `<${major}.${Number(minor) + 1}`],
  };
  return stringify({ trusted_task_rules_enabled: true, trusted_task_rules: { allow: { 'multi-image': [rule] } } });
}
