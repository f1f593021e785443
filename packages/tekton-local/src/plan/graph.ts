import type { ParamValue } from '../stand-in.ts';
import { tasksIn } from './check-references.ts';
import type { Pipeline, PipelineTask } from './model.ts';

/** What a task waits for. */
export interface Dependencies {
  /** By `runAfter`: only the order matters. */
  order: readonly string[];
  /** By its results: without them the task cannot run. */
  results: readonly string[];
}

/** The dependencies of all tasks; notes names that are twice or nowhere, and circles. */
export function checkGraph(pipeline: Pipeline): Map<string, Dependencies> {
  const graph = new Map<string, Dependencies>();
  const names = new Set(pipeline.tasks.map((task) => task.name));
  for (const task of [...pipeline.tasks, ...pipeline.finally]) {
    const { field } = task;
    if (graph.has(task.name))
      field.get('name').problem('INVALID', `there are two tasks named ${JSON.stringify(task.name)}`);
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(task.name) || task.name.length > 63) {
      field.get('name').problem('INVALID', `${JSON.stringify(task.name)} is no name: letters a-z, digits and -`);
    }
    graph.set(task.name, { order: task.runAfter, results: [...new Set(neededTasks(task))] });
    const isFinally = pipeline.finally.includes(task);
    if (isFinally && task.runAfter.length > 0) field.get('runAfter').problem('INVALID', 'finally tasks have no order');
    for (const name of task.runAfter) {
      if (!names.has(name)) field.get('runAfter').problem('INVALID', `there is no task ${JSON.stringify(name)}`);
    }
  }
  for (const circle of findCircles(graph)) {
    pipeline.field.get('tasks').problem('INVALID', `tasks wait for each other: ${circle.join(' → ')}`);
  }
  return graph;
}

/** Every value of a pipeline task that may need results of other tasks. */
function valuesOf(task: PipelineTask): ParamValue[] {
  return [
    ...[...task.params, ...task.matrix].map((param) => param.value),
    ...task.when.flatMap((when) => [when.input, when.values]),
  ];
}

/** Names of the tasks whose results a pipeline task needs. */
function neededTasks(task: PipelineTask): string[] {
  return valuesOf(task).flatMap(tasksIn);
}

/** The first circle, if there is one. */
function findCircles(graph: ReadonlyMap<string, Dependencies>): string[][] {
  const done = new Set<string>();
  const visit = (name: string, trail: string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return undefined;
    const { order, results } = graph.get(name) ?? { order: [], results: [] };
    for (const next of [...order, ...results]) {
      const circle = visit(next, [...trail, name]);
      if (circle !== undefined) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of graph.keys()) {
    const circle = visit(name, []);
    if (circle !== undefined) return [circle];
  }
  return [];
}
