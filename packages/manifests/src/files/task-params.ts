import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { literalOf } from '../config/literal.ts';
import { recordOf } from '../config/relations.ts';
import type { TaskParams } from '../config/schema.ts';
import { CATALOG_TASKS, type CatalogTask } from '../pins.ts';
import type { ComparedFile } from './compare.ts';

interface Call {
  readonly key: string;
  readonly task: CatalogTask;
  readonly params: ReadonlyMap<string, unknown>;
}

/** Whether both say the same: comments, the order of params and how a value is written mean nothing. */
export function saysTheSame(text: string, other: string): boolean {
  const [left, right] = [text, other].map(read);
  return left !== undefined && isDeepStrictEqual(left, right);
}

/** What edited files have in the params of catalog tasks, as a config would say it; it may be no more than a part. */
export function findTaskParams(files: readonly ComparedFile[], known: TaskParams): TaskParams {
  const found: TaskParams = {};
  for (const { text, found: edited } of files) {
    const before = new Map(callsIn(text).map((call) => [call.key, call]));
    for (const { key, task, params } of edited === undefined ? [] : callsIn(edited)) {
      const rendered = before.get(key)?.params;
      if (rendered === undefined) continue;
      for (const name of new Set([...rendered.keys(), ...params.keys()])) {
        const value = params.get(name) ?? null;
        if (isDeepStrictEqual(value, rendered.get(name) ?? null) || !isValue(value)) continue;
        found[task] ??= { params: { ...known[task]?.params } };
        found[task].params[name] = value;
      }
    }
  }
  return found;
}

/** The config's text for them, to paste. */
export function taskParamsText(tasks: TaskParams): string {
  const lines = Object.entries(tasks).map(([task, { params }]) => {
    const entries = Object.entries(params).map(([name, value]) => `${literalOf(name)}: ${literalOf(value)}`);
    return `    ${literalOf(task)}: { params: { ${entries.join(', ')} } },`;
  });
  return ['  tasks: {', ...lines, '  },'].join('\n');
}

function isValue(value: unknown): value is string | string[] | null {
  const isText = (entry: unknown): boolean => typeof entry === 'string';
  return value === null || isText(value) || (Array.isArray(value) && value.every(isText));
}

function callsIn(text: string): Call[] {
  return (documentsOf(text) ?? []).flatMap((document, at) => {
    const { spec } = recordOf(document);
    return [...listOf(recordOf(spec).tasks), ...listOf(recordOf(spec).finally)].flatMap((entry): Call[] => {
      const { name, taskRef, params } = recordOf(entry);
      const bundle = recordOf(taskRef);
      const task = CATALOG_TASKS.find((known) => known === paramsOf(bundle.params).get('name'));
      return bundle.resolver !== 'bundles' || task === undefined
        ? []
        : [{ key: `${at} ${name}`, task, params: paramsOf(params) }];
    });
  });
}

/** The documents, with each list of params in the order of the names. */
function read(text: string): unknown[] | undefined {
  return documentsOf(text)?.map(sorted);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    const isParams = items.every((item) => Object.keys(recordOf(item)).sort().join() === 'name,value');
    const nameOf = (item: unknown): string => String(recordOf(item).name);
    return isParams ? items.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, sorted(entry)]));
}

function documentsOf(text: string): unknown[] | undefined {
  const documents = [...parseAllDocuments(text)];
  return documents.some(({ errors }) => errors.length > 0) ? undefined : documents.map((document) => document.toJS());
}

const paramsOf = (params: unknown): Map<string, unknown> =>
  new Map(listOf(params).map((entry) => [String(recordOf(entry).name), recordOf(entry).value]));

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
