import { konfluxSchemas } from '@multi-image/testing/konflux-schema';
import {
  embeddedPipelineRunSchema,
  type Pipeline,
  type PipelineRun,
  pipelineRunSchema,
  pipelineSchema,
  type TaskSpec,
  taskSchema,
} from '@multi-image/testing/tekton-schema';
import { checkPipeline, checkRun, checkTask } from '@multi-image/testing/wiring-rules';
import { parseAllDocuments } from 'yaml';
import { planChain } from '../chain/plan.ts';
import { checkConfig } from '../config/check.ts';
import type { ChainConfig } from '../config/schema.ts';
import { readPins } from '../pins.ts';
import { type RenderedFile, render } from '../render/render.ts';

const PINS = readPins();

/** Renders a config that has to be right. */
export function renderConfig(config: ChainConfig, folder = ''): RenderedFile[] {
  const checked = checkConfig(config);
  if (checked.config === undefined) throw new Error(JSON.stringify(checked.issues));
  return render(planChain(checked.config), PINS, folder);
}

/** Everything that was rendered, by kind, having passed its schema; and what is wrong between documents. */
export interface Documents {
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly tasks: ReadonlyMap<string, TaskSpec>;
  readonly runs: readonly PipelineRun[];
  readonly problems: readonly string[];
}

/** Parses rendered files, checks every document against its schema, and then all of them against each other. */
export function checkDocuments(files: readonly RenderedFile[], folder = ''): Documents {
  const pipelines = new Map<string, Pipeline>();
  const tasks = new Map<string, TaskSpec>();
  const runs: PipelineRun[] = [];
  const problems: string[] = [];
  for (const { path, text } of files) {
    if (!path.startsWith('.tekton/') && text.includes('{{')) problems.push(`${path}: {{ is not expanded there`);
    for (const document of parseAllDocuments(text, { uniqueKeys: true, strict: true })) {
      for (const error of [...document.errors, ...document.warnings]) problems.push(`${path}: ${error.message}`);
      const value: unknown = document.toJS();
      const kind = (value as { kind?: string }).kind ?? '';
      const schema =
        kind === 'Pipeline'
          ? pipelineSchema
          : kind === 'Task'
            ? taskSchema
            : kind === 'PipelineRun'
              ? runSchemaOf(value)
              : konfluxSchemas[kind as keyof typeof konfluxSchemas];
      const parsed = schema?.safeParse(value);
      if (!parsed?.success) {
        problems.push(
          ...(parsed?.error.issues.map((i) => `${path}: ${i.path.join('.')}: ${i.message}`) ?? [`${path}: ${kind}`]),
        );
      } else if (parsed.data.kind === 'Pipeline') pipelines.set(`${folder}${path}`, parsed.data);
      else if (parsed.data.kind === 'Task') tasks.set(parsed.data.metadata.name, parsed.data.spec);
      else if (parsed.data.kind === 'PipelineRun') {
        if ('pipelineRef' in parsed.data.spec) runs.push(parsed.data as PipelineRun);
        // As if its Pipeline was a file of its own.
        else
          pipelines.set(`${folder}${path}`, { ...parsed.data, kind: 'Pipeline', spec: parsed.data.spec.pipelineSpec });
      }
    }
  }
  for (const [name, spec] of tasks) problems.push(...checkTask(name, spec));
  for (const pipeline of pipelines.values()) problems.push(...checkPipeline(pipeline, tasks));
  for (const run of runs) problems.push(...checkRunFiles(run, pipelines, files, folder));
  return { pipelines, tasks, runs, problems };
}

/** A run that Pipelines as Code starts refers to its Pipeline; one that an integration test is has it inside. */
function runSchemaOf(value: unknown) {
  const { spec } = value as { spec?: object };
  return 'pipelineSpec' in (spec ?? {}) ? testRunSchema : pipelineRunSchema;
}

/** The integration service gives it the Snapshot as param. */
const testRunSchema = embeddedPipelineRunSchema.extend({
  spec: embeddedPipelineRunSchema.shape.spec.partial({ params: true }),
});

/** What Pipelines as Code would fetch for a run is there, and it is all that the run's pipeline needs. */
function checkRunFiles(
  run: PipelineRun,
  pipelines: ReadonlyMap<string, Pipeline>,
  files: readonly RenderedFile[],
  folder: string,
): string[] {
  const annotation = (name: string): string => run.metadata.annotations?.[`pipelinesascode.tekton.dev/${name}`] ?? '';
  const pipeline = pipelines.get(annotation('pipeline'));
  if (pipeline === undefined) return [`${run.metadata.name}: no pipeline at ${annotation('pipeline')}`];
  const fetched = annotation('task')
    .replace(/^\[|\]$/g, '')
    .split(', ')
    .filter(Boolean);
  const missing = fetched.filter((path) => !files.some((file) => `${folder}${file.path}` === path));
  const needed = pipeline.spec.tasks.flatMap(({ taskRef }) =>
    taskRef !== undefined && 'name' in taskRef ? [`${folder}pipeline/tasks/${taskRef.name}.yaml`] : [],
  );
  return [
    ...missing.map((path) => `${run.metadata.name}: no task at ${path}`),
    ...needed.filter((path) => !fetched.includes(path)).map((path) => `${run.metadata.name}: does not fetch ${path}`),
    ...checkRun(run, pipeline),
  ];
}
