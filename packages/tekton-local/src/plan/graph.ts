import { findCycle } from '@multi-image/kit/cycles';
import { tasksIn } from './check-references.ts';
import { checkName } from './check-task.ts';
import type { Pipeline, PipelineTask } from './model.ts';

/** What a task waits for. */
export interface Dependencies {
  /** By its results: without them the task cannot run. */
  results: readonly string[];
  /** These, and those of `runAfter`, of which only the order matters. */
  all: readonly string[];
}

/** The dependencies of all tasks; notes names that are twice or nowhere, and cycles. */
export function checkGraph(pipeline: Pipeline): Map<string, Dependencies> {
  const graph = new Map<string, Dependencies>();
  const names = new Set(pipeline.tasks.map((task) => task.name));
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const { field, name, runAfter } = task;
    if (graph.has(name)) field.get('name').invalid(`there are two tasks named ${JSON.stringify(name)}`);
    checkName(field.get('name'), name);
    const results = [...new Set(neededTasks(task))];
    graph.set(name, { results, all: [...new Set([...runAfter, ...results])] });
    const isFinally = pipeline.finally.includes(task);
    if (isFinally && runAfter.length > 0) field.get('runAfter').invalid('finally tasks have no order');
    for (const other of runAfter) {
      if (!names.has(other)) field.get('runAfter').invalid(`there is no task ${JSON.stringify(other)}`);
    }
  }
  const cycle = findCycle(new Map([...graph].map(([name, { all }]) => [name, all])));
  if (cycle !== undefined) {
    pipeline.field.get('tasks').invalid(`tasks wait for each other: ${cycle.join(' → ')}`);
  }
  return graph;
}

/** Names of the tasks whose results a pipeline task needs. */
function neededTasks({ params, matrix, when }: PipelineTask): string[] {
  const values = [...params, ...matrix].map((param) => param.value);
  return [...values, ...when.flatMap(({ input, values }) => [input, values])].flatMap(tasksIn);
}
