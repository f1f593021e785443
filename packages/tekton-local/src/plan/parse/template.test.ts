import { pipelineRun } from '@multi-image/testing/checkout';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../testing/plan.ts';
import { replacedTask } from '../replaced-task.ts';
import { taskRunPasses } from '../task-runs.ts';

// What the judge does not see: it looks at images, texts and plain variables.

/** The only step of a task, with its template. */
function stepOf(spec: object, more: Record<string, string> = {}): object | undefined {
  const implementation = planOf({
    ...pipelineRun({ tasks: [{ name: 'a', taskSpec: spec }] }),
    ...more,
  }).implementations.get('a');
  if (implementation === undefined) throw new Error('there is no task a');
  const context = { name: 'run', namespace: 'default', uid: '', task: 'a', retry: 0 };
  return replacedTask(taskRunPasses(implementation.task, {}, context), []).steps[0];
}

const settings = (name: string): object => ({ configMapRef: { name, optional: true } });

describe('a step with a template', () => {
  it('has its own variables of ConfigMaps or those of its template, limits of each, and mounts where either says so', () => {
    const step = {
      image: 'image',
      envFrom: [settings('own')],
      computeResources: { limits: { cpu: '2' } },
      volumeMounts: [{ name: 'volume', mountPath: '/$(params.place)' }],
    };
    const stepTemplate = {
      envFrom: [settings('shared')],
      computeResources: { limits: { cpu: '1', memory: '1Ki' } },
      volumeMounts: [{ name: 'volume', mountPath: '/there', readOnly: true }],
    };
    const rest = { params: [{ name: 'place', default: 'there' }], volumes: [{ name: 'volume', emptyDir: {} }] };
    expect(stepOf({ ...rest, stepTemplate, steps: [step] })).toMatchObject({
      envFrom: [{ source: { object: 'own' } }],
      limits: { cpus: 2, memory: 1024 },
      volumeMounts: [{ name: 'volume', mountPath: '/there', readOnly: true }],
    });
    expect(stepOf({ ...rest, stepTemplate, steps: [{ image: 'image' }] })).toMatchObject({
      envFrom: [{ source: { object: 'shared' } }],
      limits: { cpus: 1, memory: 1024 },
    });
  });

  it('runs as the user of its StepAction, whatever it says itself', () => {
    const action = {
      apiVersion: 'tekton.dev/v1beta1',
      kind: 'StepAction',
      metadata: { name: 'say' },
      spec: { image: 'image', securityContext: { runAsUser: 1000 } },
    };
    const step = stepOf(
      {
        stepTemplate: { securityContext: { runAsGroup: 2000 } },
        steps: [{ name: 's', ref: { name: 'say' }, securityContext: { runAsUser: 1 } }],
      },
      { '.tekton/say.yaml': JSON.stringify(action) },
    );
    expect(step).toMatchObject({ security: { runAsUser: 1000, runAsGroup: 2000 } });
  });
});
