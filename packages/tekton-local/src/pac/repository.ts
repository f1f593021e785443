import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { CelError } from '../cel/cel.ts';
import { TektonLocalError } from '../errors.ts';
import type { Field } from '../plan/yaml/field.ts';
import { variablesIn } from './comment.ts';
import type { PacEvent } from './event.ts';
import { templateValue } from './pac-cel.ts';
import { furtherVariables, standardVariables } from './variables.ts';

/** What `{{ … }}` stands for in an event of a repository, and which of it `on-cel-expression` may name. */
export interface EventVariables {
  readonly all: Readonly<Record<string, string>>;
  readonly custom: Readonly<Record<string, string>>;
  /** Why hardly any variable is known. */
  readonly problem?: string | undefined;
}

/**
 * The variables of an event with the custom params of a Repository, which come before what the event says.
 *
 * @param repository A document of `pipelinesascode.tekton.dev/v1alpha1`; undefined where it has no params.
 * @param secrets Folders that stand for Secrets, by the Secret's name: a file for each key.
 * @returns Where a filter can't be evaluated, what Pipelines as Code then has: next to nothing, and why.
 */
export function eventVariables(
  repository: Field | undefined,
  event: PacEvent,
  secrets: Readonly<Record<string, string>>,
): EventVariables {
  try {
    return variablesWith(repository, event, secrets);
  } catch (error) {
    if (!(error instanceof WrongFilter)) throw error;
    return { all: furtherVariables(event), custom: {}, problem: error.message };
  }
}

class WrongFilter extends Error {
  override readonly name = 'WrongFilter';
}

function variablesWith(
  repository: Field | undefined,
  event: PacEvent,
  secrets: Readonly<Record<string, string>>,
): EventVariables {
  const said = event.comment === undefined ? {} : variablesIn(event.comment);
  const standard = standardVariables(event);
  for (const [name, value] of Object.entries(said)) if (Object.hasOwn(standard, name)) standard[name] = value;
  const params = repository?.get('spec', 'params');
  if (!Array.isArray(params?.value)) return { all: { ...standard, ...furtherVariables(event) }, custom: {} };
  const own = new Map<string, string>();
  const names = new Set<string>();
  const matched = new Set<string>();
  for (const param of params.list()) {
    const name = param.get('name').string() ?? '';
    const filter = param.get('filter').string() ?? '';
    names.add(name);
    if (name === '' || (filter !== '' && matched.has(name))) continue;
    if (filter !== '') {
      if (!isTrue(name, filter, event, standard)) continue;
      matched.add(name);
    }
    const value = param.get('value').string() ?? '';
    const secret = param.get('secret_ref');
    if (value !== '') own.set(name, value);
    else if (Object.hasOwn(said, name) && !Object.hasOwn(standard, name)) own.set(name, '');
    else if (secret.present) own.set(name, secretText(secret, secrets));
  }
  for (const [name, value] of Object.entries(standard)) if (value !== '' && !own.has(name)) own.set(name, value);
  for (const [name, value] of Object.entries(said)) if (value !== '' && own.has(name)) own.set(name, value);
  const custom = [...own].filter(([name]) => names.has(name));
  return { all: { ...Object.fromEntries(own), ...furtherVariables(event) }, custom: Object.fromEntries(custom) };
}

function isTrue(name: string, filter: string, event: PacEvent, variables: Readonly<Record<string, string>>): boolean {
  try {
    return templateValue(filter, { ...event, headers: {} }, variables) === true;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    const what = `the filter of the Repository's param ${name} can't be evaluated`;
    if (error.isLimit) throw new TektonLocalError('UNSUPPORTED', `${what}: ${error.message}`, { found: filter });
    throw new WrongFilter(`${what}, and then no variable has a value: ${error.message}: ${filter}`);
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
