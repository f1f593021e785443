import { basename } from 'node:path';
import { CATALOG } from './catalog.ts';
import type { Pipeline, PipelineRun, PipelineTask, TaskSpec } from './tekton-schema.ts';

/** What a task takes and gives, from wherever it is defined. */
interface Interface {
  readonly params: ReadonlyMap<string, { readonly array: boolean; readonly required: boolean }>;
  readonly results: ReadonlySet<string>;
  readonly workspaces: ReadonlySet<string>;
}

const VARIABLE = /\$\(([^()\s]+)\)/g;

/**
 * The rules between documents that no schema knows. Answers with what is wrong, nothing where all is well.
 *
 * @param tasks Tasks of the repository's own, by name.
 */
export function checkPipeline(pipeline: Pipeline, tasks: ReadonlyMap<string, TaskSpec>): string[] {
  const { params, results, workspaces = [], tasks: list } = pipeline.spec;
  const problems: string[] = [];
  const say = (where: string, what: string): void => void problems.push(`${pipeline.metadata.name}/${where}: ${what}`);
  const names = list.map(({ name }) => name);
  for (const [kind, all] of [
    ['task', names],
    ['param', params.map(({ name }) => name)],
    ['result', results.map(({ name }) => name)],
  ] as const) {
    for (const name of all) if (all.indexOf(name) !== all.lastIndexOf(name)) say(name, `${kind} declared twice`);
  }
  const interfaces = new Map(list.map((task) => [task.name, interfaceOf(task, tasks)]));
  const declared = new Map(params.map((param) => [param.name, param.type === 'array']));
  const used = new Set<string>();

  const checkValue = (where: string, text: string, inArray: boolean): void => {
    for (const [, variable = ''] of text.matchAll(VARIABLE)) {
      const star = variable.endsWith('[*]');
      const [scope, name = '', part, resultName = ''] = variable.replace('[*]', '').split('.');
      if (scope === 'params') {
        used.add(name);
        if (!declared.has(name)) say(where, `param ${name} is not declared`);
        else if (declared.get(name) !== star) say(where, `param ${name} is used as the wrong type`);
        if (star && (!inArray || text !== `$(${variable})`)) say(where, `array ${name} is not an item of its own`);
      } else if (scope === 'tasks' && part === 'results') {
        const result = interfaces.get(name);
        if (result === undefined) say(where, `there is no task ${name}`);
        else if (!result.results.has(resultName)) say(where, `task ${name} has no result ${resultName}`);
      } else {
        say(where, `unknown variable ${variable}`);
      }
    }
  };

  for (const task of list) {
    const own = interfaces.get(task.name);
    if (own === undefined) {
      say(task.name, 'its task is not known');
      continue;
    }
    const passed = new Set(task.params?.map(({ name }) => name));
    for (const { name, value } of task.params ?? []) {
      const where = `${task.name}.${name}`;
      const taken = own.params.get(name);
      if (taken === undefined) say(where, 'the task takes no such param');
      else if (taken.array !== Array.isArray(value)) say(where, 'string and array confused');
      for (const text of [value].flat()) checkValue(where, text, Array.isArray(value));
    }
    for (const [name, { required }] of own.params) {
      if (required && !passed.has(name)) say(task.name, `param ${name} is not passed`);
    }
    for (const { input, values } of task.when ?? []) {
      for (const text of [input, ...values]) checkValue(`${task.name}.when`, text, false);
    }
    for (const { name, workspace } of task.workspaces ?? []) {
      if (!own.workspaces.has(name)) say(task.name, `the task has no workspace ${name}`);
      if (!workspaces.some((known) => known.name === workspace)) say(task.name, `no workspace ${workspace}`);
    }
    for (const name of task.runAfter ?? []) if (!names.includes(name)) say(task.name, `runs after no task ${name}`);
    if (task.taskSpec !== undefined)
      problems.push(...checkTask(`${pipeline.metadata.name}/${task.name}`, task.taskSpec));
  }
  for (const { name, value } of results) checkValue(`results.${name}`, value, false);
  for (const name of declared.keys()) if (!used.has(name)) say(name, 'param is never used');
  return [
    ...problems,
    ...findWaitingForever(list).map((name) => `${pipeline.metadata.name}/${name}: waits for itself`),
  ];
}

/** Params that are used are declared and the other way round; no param is substituted into a script. */
export function checkTask(where: string, spec: TaskSpec): string[] {
  const problems: string[] = [];
  const declared = new Map(spec.params.map((param) => [param.name, param.type === 'array']));
  const results = new Set(spec.results?.map(({ name }) => name));
  const volumes = new Set(spec.volumes?.map(({ name }) => name));
  const used = new Set<string>();
  for (const { name } of spec.stepTemplate?.volumeMounts ?? []) {
    if (!volumes.has(name)) problems.push(`${where}: no volume ${name}`);
  }
  problems.push(...findRights(spec).map((problem) => `${where}: ${problem}`));
  for (const step of spec.steps) {
    if (step.script?.includes('$(params.') || step.script?.includes('$(tasks.')) {
      problems.push(`${where}/${step.name}: a variable is substituted into the script`);
    }
    for (const text of [
      ...(step.command ?? []),
      ...(step.args ?? []),
      ...(step.env ?? []).flatMap((variable) => ('value' in variable ? variable.value : [])),
    ]) {
      for (const [, variable = ''] of text.matchAll(VARIABLE)) {
        const [scope, name = ''] = variable.replace('[*]', '').split('.');
        if (scope === 'params') {
          used.add(name);
          if (declared.get(name) !== variable.endsWith('[*]')) problems.push(`${where}/${step.name}: ${variable}`);
        } else if (scope === 'results') {
          used.add(`results.${name}`);
          if (!results.has(name)) problems.push(`${where}/${step.name}: no result ${name}`);
        } else {
          problems.push(`${where}/${step.name}: unknown variable ${variable}`);
        }
      }
    }
  }
  for (const name of declared.keys()) if (!used.has(name)) problems.push(`${where}: param ${name} is never used`);
  for (const name of results)
    if (!used.has(`results.${name}`)) problems.push(`${where}: result ${name} is never written`);
  return problems;
}

/** A PipelineRun passes what its Pipeline takes. */
export function checkRun(run: PipelineRun, pipeline: Pipeline): string[] {
  const where = run.metadata.name;
  const problems: string[] = [];
  const passed = new Map(run.spec.params.map(({ name, value }) => [name, value]));
  for (const { name, type, default: fallback } of pipeline.spec.params) {
    const value = passed.get(name);
    if (value === undefined && fallback === undefined) problems.push(`${where}: param ${name} is not passed`);
    if (value !== undefined && Array.isArray(value) !== (type === 'array')) problems.push(`${where}: type of ${name}`);
    passed.delete(name);
  }
  for (const name of passed.keys()) problems.push(`${where}: the pipeline takes no ${name}`);
  const known = new Set(pipeline.spec.workspaces?.map(({ name }) => name));
  for (const { name } of run.spec.workspaces) if (!known.has(name)) problems.push(`${where}: no workspace ${name}`);
  if (run.spec.pipelineRef.name !== pipeline.metadata.name)
    problems.push(`${where}: pipeline ${pipeline.metadata.name}`);
  return problems;
}

/** The names that a task waits for, by runAfter, by results and by conditions. */
export function dependenciesOf(task: PipelineTask): string[] {
  const texts = [...(task.params ?? []).flatMap(({ value }) => value), ...(task.when ?? []).map(({ input }) => input)];
  const results = texts.flatMap((text) =>
    [...text.matchAll(/\$\(tasks\.([^.]+)\.results\./g)].map(([, name = '']) => name),
  );
  return [...new Set([...(task.runAfter ?? []), ...results])];
}

function findWaitingForever(tasks: readonly PipelineTask[]): string[] {
  const left = new Map(tasks.map((task) => [task.name, dependenciesOf(task)]));
  for (let moved = true; moved; ) {
    moved = false;
    for (const [name, needs] of left) {
      if (needs.some((need) => left.has(need))) continue;
      left.delete(name);
      moved = true;
    }
  }
  return [...left.keys()];
}

function interfaceOf(task: PipelineTask, tasks: ReadonlyMap<string, TaskSpec>): Interface | undefined {
  const { taskRef } = task;
  if (taskRef !== undefined && 'resolver' in taskRef) {
    const called = taskRef.resolver === 'git' ? basename(taskRef.params[2].value, '.yaml') : taskRef.params[0].value;
    const known = CATALOG[called];
    if (known === undefined) return undefined;
    return {
      params: new Map(
        [...known.required, ...known.optional].map((name) => [
          name,
          { array: known.arrays.includes(name), required: known.required.includes(name) },
        ]),
      ),
      results: new Set(known.results),
      workspaces: new Set(known.workspaces),
    };
  }
  const spec = task.taskSpec ?? tasks.get(taskRef?.name ?? '');
  if (spec === undefined) return undefined;
  return {
    params: new Map(
      spec.params.map((param) => [
        param.name,
        { array: param.type === 'array', required: param.default === undefined },
      ]),
    ),
    results: new Set(spec.results?.map(({ name }) => name)),
    workspaces: new Set(),
  };
}

/** Steps that share a folder run as one user without rights, and no step takes any back. */
function findRights({ stepTemplate, steps }: TaskSpec): string[] {
  const taken = [
    ...steps.filter((step) => step.securityContext !== undefined).map(({ name }) => `step ${name} has rights`),
    ...findHomeless(steps),
  ];
  if (stepTemplate === undefined) return taken;
  const { runAsNonRoot, runAsUser, allowPrivilegeEscalation, capabilities } = stepTemplate.securityContext ?? {};
  const isBare = runAsNonRoot === true && runAsUser !== undefined && allowPrivilegeEscalation === false;
  const dropsAll = capabilities?.drop?.includes('ALL') === true && capabilities.add === undefined;
  return isBare && dropsAll ? taken : [...taken, 'steps have more rights than they need'];
}

/** Tekton puts credentials into HOME, and the image of trusted artifacts has none that its user could write to. */
export function findHomeless(
  steps: readonly { name: string; image: string; env?: TaskSpec['steps'][0]['env'] }[],
): string[] {
  return steps
    .filter(({ image }) => image.includes('/build-trusted-artifacts:'))
    .filter(
      ({ env = [] }) =>
        !env.some((variable) => variable.name === 'HOME' && 'value' in variable && variable.value === '/tekton/home'),
    )
    .map(({ name }) => `step ${name} has no home for credentials`);
}
