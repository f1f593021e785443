import { pipelineRun } from '@multi-image/testing/checkout';
import { expect, it } from 'vitest';
import type { PipelineRunOutcome, TaskOutcome } from '../outcome.ts';
import { planOf } from '../testing/plan.ts';
import { provenanceOf, taskProvenanceOf } from './provenance.ts';

const BUNDLE = `quay.io/catalog/task-build@sha256:${'b'.repeat(64)}`;

it('names no bundle as what ran: another Task ran in its place', () => {
  const named = { kind: 'task', name: 'build', bundle: BUNDLE };
  const plan = planOf(
    pipelineRun({
      tasks: [
        {
          name: 'build-it',
          taskRef: {
            resolver: 'bundles',
            params: Object.entries(named).map(([name, value]) => ({ name, value })),
          },
          params: [{ name: 'IMAGE', value: 'localhost:5000/org/image:1' }],
        },
      ],
    }),
  );
  const task: TaskOutcome = {
    name: 'build-it',
    status: 'Succeeded',
    reason: 'Succeeded',
    results: {},
    startedAt: 0,
    finishedAt: 1,
    steps: [],
  };
  const outcome: PipelineRunOutcome = {
    name: 'run',
    status: 'Succeeded',
    reason: 'Succeeded',
    message: '',
    results: {},
    startedAt: 0,
    finishedAt: 1,
    tasks: [task],
  };
  const configSource = {
    uri: 'urn:tekton-local:task-in-place-of:build',
    digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  };
  const taskRun = { outcome: task, steps: [], sidecars: [] };
  const ofRun = provenanceOf(plan, outcome, [taskRun], [], { uid: 'uid' });
  expect(ofRun).toMatchObject({
    predicate: { buildConfig: { tasks: [{ name: 'build-it', ref: {}, invocation: { configSource } }] } },
  });
  const ofTask = taskProvenanceOf(plan, taskRun, [], { uid: 'uid', name: 'run' });
  expect(ofTask).toMatchObject({ predicate: { invocation: { configSource } } });
  for (const document of [ofRun, ofTask]) expect(JSON.stringify(document)).not.toContain('quay.io/catalog');
});
