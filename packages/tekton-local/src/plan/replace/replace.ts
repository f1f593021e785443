import type { ObjectSource, Param, PipelineTask, Probe, Step, Task, When } from '../model.ts';
import type { Variables } from './variables.ts';

/** A Task with the variables of one pass replaced, wherever Tekton replaces them. */
export function replaceInTask(task: Task, pass: Variables): Task {
  return {
    ...task,
    steps: task.steps.map((step) => replaceInStep(step, pass)),
    sidecars: task.sidecars.map((sidecar) => ({
      ...replaceInStep(sidecar, pass),
      ready: sidecar.ready && replaceInProbe(sidecar.ready, pass),
    })),
    template: task.template && replaceInStep(task.template, pass),
    volumes: task.volumes.map((volume) => ({
      ...volume,
      name: pass.text(volume.name),
      sources: volume.sources.map((source) => replaceInSource(source, pass)),
      claim: volume.claim === undefined ? undefined : pass.text(volume.claim),
    })),
    workspaces: task.workspaces.map((workspace) => ({
      ...workspace,
      mountPath: workspace.mountPath === undefined ? undefined : pass.text(workspace.mountPath),
    })),
  };
}

function replaceInProbe(probe: Probe, pass: Variables): Probe {
  const { check } = probe;
  if (check.kind === 'command') return { ...probe, check: { ...check, command: pass.list(check.command) } };
  return { ...probe, check: { ...check, host: pass.text(check.host) } };
}

/** A step with the variables of one pass replaced; of a StepAction, what the Task says to it. */
export function replaceInStep(step: Step, pass: Variables): Step {
  if (step.action !== undefined) {
    const given = replaceInParams(step.action.given, pass);
    const when = step.when.map((item) => replaceInWhen(item, pass));
    const template = replaceInStep(step.action.template, pass);
    return { ...step, when, onError: pass.text(step.onError), action: { ...step.action, given, template } };
  }
  return {
    ...step,
    name: pass.text(step.name),
    image: pass.text(step.image),
    command: step.command && pass.list(step.command),
    args: pass.list(step.args),
    script: step.script === undefined ? undefined : pass.text(step.script),
    env: step.env.map((variable) => ({
      ...variable,
      value: pass.text(variable.value),
      from: variable.from && { ...replaceInSource(variable.from, pass), key: pass.text(variable.from.key) },
    })),
    envFrom: step.envFrom.map(({ prefix, source }) => ({
      prefix: pass.text(prefix),
      source: replaceInSource(source, pass),
    })),
    workingDir: step.workingDir === undefined ? undefined : pass.text(step.workingDir),
    volumeMounts: step.volumeMounts.map((mount) => ({
      ...mount,
      name: pass.text(mount.name),
      mountPath: pass.text(mount.mountPath),
      subPath: mount.subPath === undefined ? undefined : pass.text(mount.subPath),
    })),
    onError: pass.text(step.onError),
    when: step.when.map((when) => replaceInWhen(when, pass)),
    own: step.own && replaceInStep(step.own, pass),
  };
}

function replaceInSource(source: ObjectSource, pass: Variables): ObjectSource {
  const items = source.items?.map(({ key, path }) => ({ key: pass.text(key), path: pass.text(path) }));
  return { ...source, object: pass.text(source.object), items };
}

/** A pipeline task with the variables of one pass replaced; not what it runs. */
export function replaceInPipelineTask(task: PipelineTask, pass: Variables): PipelineTask {
  return {
    ...task,
    params: replaceInParams(task.params, pass),
    matrix: replaceInParams(task.matrix, pass),
    include: task.include.map((params) => replaceInParams(params, pass)),
    when: task.when.map((when) => replaceInWhen(when, pass)),
    workspaces: task.workspaces.map((workspace) => ({
      ...workspace,
      subPath: workspace.subPath === undefined ? undefined : pass.text(workspace.subPath),
    })),
    onError: pass.text(task.onError),
  };
}

/** Params that are given, with the variables of one pass replaced. */
export function replaceInParams(params: readonly Param[], pass: Variables): Param[] {
  return params.map((param) => ({ ...param, value: pass.value(param.value) }));
}

function replaceInWhen(when: When, pass: Variables): When {
  return { ...when, input: pass.input(when.input), values: pass.values(when.values) };
}
