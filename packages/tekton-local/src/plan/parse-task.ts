import type { Field } from './field.ts';
import type { Task, Volume } from './model.ts';
import { parseStep } from './parse-step.ts';
import { parseParamSpecs, parseResult, parseWorkspaceDeclaration } from './parse-values.ts';

/** Reads a Task's spec, from a file or embedded in a pipeline. */
export function parseTaskSpec(spec: Field, name: string): Task {
  spec.only('params results steps stepTemplate volumes workspaces description displayName', {
    sidecars: 'sidecars are not supported',
  });
  if (!spec.present) spec.invalid('is required');
  const template = spec.get('stepTemplate');
  const steps = spec.get('steps').list();
  if (steps.length === 0) spec.get('steps').invalid('a Task needs at least one step');
  return {
    name,
    params: parseParamSpecs(spec.get('params')),
    results: spec.get('results').map(parseResult),
    steps: steps.map((step, index) => parseStep(step, template, index)),
    volumes: spec.get('volumes').map(parseVolume),
    workspaces: spec.get('workspaces').map(parseWorkspaceDeclaration),
    field: spec,
  };
}

function parseVolume(field: Field): Volume {
  const name = field.get('name').requiredString();
  const kinds = ['emptyDir', 'configMap', 'secret'] as const;
  field.only('name emptyDir configMap secret', { hostPath: 'a step sees no folder of this machine' });
  const kind = kinds.find((candidate) => field.get(candidate).present) ?? 'emptyDir';
  if (kind !== 'emptyDir') {
    const source = field.get(kind);
    if (source.get('optional').value !== true) {
      source.unsupported(`there is no ${kind} on this machine, and it is not optional`);
    }
  }
  return { name, kind, field };
}
