import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { CelError } from '../cel/cel.ts';
import { TektonLocalError } from '../errors.ts';
import type { Field } from '../plan/field.ts';
import type { PacEvent } from './event.ts';
import { templateValue } from './pac-cel.ts';

/**
 * The variables of an event with the custom params of a Repository, which come before what the event says.
 *
 * @param repository A document of `pipelinesascode.tekton.dev/v1alpha1`.
 * @param secrets Folders that stand for Secrets, by the Secret's name: a file for each key.
 */
export function repositoryVariables(
  repository: Field,
  event: PacEvent,
  variables: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = new Map<string, string>();
  const matched = new Set<string>();
  for (const param of repository.get('spec', 'params').list()) {
    const name = param.get('name').string() ?? '';
    const filter = param.get('filter').string() ?? '';
    if (name === '' || (filter !== '' && matched.has(name))) continue;
    if (filter !== '') {
      if (!isTrue(param.get('filter'), filter, event, variables)) continue;
      matched.add(name);
    }
    const value = param.get('value').string() ?? '';
    const secret = param.get('secret_ref');
    if (value !== '') own.set(name, value);
    else if (secret.present) own.set(name, secretText(secret, secrets));
  }
  return { ...variables, ...Object.fromEntries(own) };
}

function isTrue(field: Field, filter: string, event: PacEvent, variables: Readonly<Record<string, string>>): boolean {
  try {
    return templateValue(filter, { ...event, headers: {} }, variables) === true;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    field.invalid(`${error.message}: ${filter}`);
    return false;
  }
}

function secretText(field: Field, secrets: Readonly<Record<string, string>>): string {
  const name = field.get('name').requiredString();
  const key = field.get('key').requiredString();
  const folder = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (folder === undefined || key.includes('/')) {
    field.unsupported(`there is no secret ${JSON.stringify(name)} on this machine; give --secret ${name}=FOLDER`);
    return '';
  }
  try {
    return readFileSync(join(resolve(folder), key), 'utf8');
  } catch (error) {
    throw new TektonLocalError('FILE_NOT_READABLE', `the secret ${name} has no key ${key} in ${folder}`, {
      found: reasonOf(error),
      cause: error,
    });
  }
}
