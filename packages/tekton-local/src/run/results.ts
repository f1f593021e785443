import { join } from 'node:path';
import type { ParamValue, ResultSpec, Task } from '../plan/model.ts';
import { type Scope, substituteString, UnresolvedReference } from '../plan/substitute.ts';
import { readStepFile } from './confined-path.ts';

/** Bytes that all results of a TaskRun may have together: Tekton passes them in a container's termination message. */
export const RESULTS_LIMIT = 4096;

/** Reads a Task's results from the files that its steps wrote; a result that was not written is left out. */
export async function readResults(
  task: Task,
  folder: string,
  scope: Scope,
): Promise<{ results: Record<string, ParamValue>; problem?: { reason: string; message: string } }> {
  const results: Record<string, ParamValue> = {};
  let size = 0;
  for (const spec of task.results) {
    try {
      const text = await readText(spec, folder, scope);
      if (text === undefined) continue;
      size += Buffer.byteLength(text);
      results[spec.name] = parseResult(spec, text);
    } catch (error) {
      const message = `result ${spec.name}: ${error instanceof Error ? error.message : String(error)}`;
      return { results, problem: { reason: 'TaskRunResultInvalid', message } };
    }
  }
  if (size <= RESULTS_LIMIT) return { results };
  const message = `the results have ${size} bytes together; the limit is ${RESULTS_LIMIT}`;
  return { results: {}, problem: { reason: 'TaskRunResultLargerThanAllowedLimit', message } };
}

async function readText(spec: ResultSpec, folder: string, scope: Scope): Promise<string | undefined> {
  if (spec.value === undefined) return await readStepFile(join(folder, spec.name), RESULTS_LIMIT);
  try {
    return substituteString(spec.value, scope);
  } catch (error) {
    // The step that has this result did not write it.
    if (error instanceof UnresolvedReference) return undefined;
    throw error;
  }
}

function parseResult(spec: ResultSpec, text: string): ParamValue {
  if (spec.type === 'string') return text;
  const value: unknown = JSON.parse(text);
  const items: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [undefined];
  if (Array.isArray(value) !== (spec.type === 'array') || !items.every((item) => typeof item === 'string')) {
    throw new Error(`it is not ${spec.type === 'array' ? 'an array' : 'an object'} of strings`);
  }
  return value as ParamValue;
}
