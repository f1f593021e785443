import type { Field } from './yaml/field.ts';

/** Finds the Pipeline or the Task that a name stands for, in v1's words; undefined where there is none. */
export interface Named {
  pipeline(name: string): Field | undefined;
  task(name: string): Field | undefined;
}

/**
 * A PipelineRun as Pipelines as Code creates it: what it refers to by name is inside it. What is behind a resolver, of
 * another controller, or not found stays a reference.
 *
 * @param run In v1's words.
 */
export function inlined(run: Field, named: Named): Field {
  const spec = run.get('spec');
  const reference = spec.get('pipelineRef');
  const isNamed = reference.present && !reference.get('resolver').present;
  const pipeline = isNamed ? named.pipeline(reference.get('name').text())?.get('spec') : spec.get('pipelineSpec');
  if (pipeline?.present !== true) return run;
  const pipelineSpec = pipeline.with({
    tasks: withTasks(pipeline.get('tasks'), named),
    finally: withTasks(pipeline.get('finally'), named),
  });
  return run.with({ spec: spec.with(isNamed ? { pipelineRef: undefined, pipelineSpec } : { pipelineSpec }) });
}

function withTasks(tasks: Field, named: Named): Field | undefined {
  if (!Array.isArray(tasks.value)) return tasks.present ? tasks : undefined;
  return tasks.withItems(
    tasks.items().map((task) => {
      const found = isName(task.get('taskRef')) ? named.task(task.get('taskRef', 'name').text()) : undefined;
      const spec = found?.get('spec');
      if (spec?.present !== true) return task;
      // Its labels and annotations, which become those of its Pods there, nobody reads here.
      return task.with({ taskRef: undefined, taskSpec: spec });
    }),
  );
}

function isName(reference: Field): boolean {
  const version = reference.get('apiVersion').text();
  return (
    reference.present &&
    !reference.get('resolver').present &&
    (version === '' || version.startsWith('tekton.dev/')) &&
    reference.get('kind').text() !== 'ClusterTask'
  );
}
