import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Pins, readPins } from '@multi-image/manifests';
import { pipelineSchema, taskSchema } from '@multi-image/testing/tekton-schema';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { standIns as local } from '../../../tekton-local/src/stand-ins/index.ts';
import { readStandIn, STAND_INS } from './stand-ins.ts';

const repository = resolve(import.meta.dirname, '../../../..');
const folder = resolve(import.meta.dirname, '../../../../stand-ins');
const pins = readPins();

describe.each(STAND_INS)('%s', (name) => {
  const read = async () => taskSchema.shape.spec.parse(await readStandIn(name, pins));

  test('is a Task that Tekton takes, of pinned images', async () => {
    const spec = await read();
    for (const { image } of spec.steps) expect(Object.values(pins.images)).toContain(image);
    const { kind, metadata } = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    expect({ kind, metadata }).toMatchObject({ kind: 'Task', metadata: { name } });
    expect(metadata.labels['app.kubernetes.io/version']).toMatch(/^\d+\.\d+/);
    expect(spec.description).toBeTruthy();
    for (const { description } of spec.params) expect(description).toBeTruthy();
  });

  test('has the params, results and workspaces of the local stand-in', async () => {
    const spec = await read();
    const other = local.find(({ task }) => task === name);
    const params = spec.params.map(({ description: _, name: key, ...param }) => [key, param]);
    const expected = Object.entries(other?.params ?? {}).map(([key, param]) => {
      // This one has the default that works without privileges.
      const isDriver = name.startsWith('buildah') && key === 'STORAGE_DRIVER';
      return [key, isDriver ? { ...param, default: 'vfs' } : param];
    });
    expect(Object.fromEntries(params)).toEqual(Object.fromEntries(expected));
    expect(spec.results?.map((result) => result.name).sort() ?? []).toEqual([...(other?.results ?? [])].sort());
    expect(spec.workspaces?.map((workspace) => workspace.name) ?? []).toEqual([...(other?.workspaces ?? [])]);
    for (const { optional } of spec.workspaces ?? []) expect(optional).toBe(true);
  });

  test('has no param in a script, and stops at the first failure', async () => {
    const { steps } = await read();
    for (const { script } of steps) {
      if (script === undefined) continue;
      expect(script).not.toMatch(/\$\((?:params|results|context|workspaces|steps|tasks)\b/);
      // Kubernetes and Tekton make one of two.
      expect(script).not.toContain('$$');
      expect(script.split('\n')[0]).toBe('#!/usr/bin/env bash');
      expect(script.match(/^#!/gm)).toHaveLength(1);
      expect(script).toMatch(/^set -euo pipefail$/m);
    }
  });

  test('runs as root only to build', async () => {
    const { steps, stepTemplate } = await read();
    for (const step of steps) {
      const { runAsUser, capabilities } = step.securityContext ?? stepTemplate?.securityContext ?? {};
      const builds = name.startsWith('buildah') && step.name === 'build';
      expect({ runAsUser, capabilities }).toEqual(
        builds
          ? { runAsUser: 0, capabilities: { add: ['SETFCAP'] } }
          : { runAsUser: 1001, capabilities: { drop: ['ALL'] } },
      );
    }
  });
});

test('every param that a rendered pipeline passes is declared, with its type', async () => {
  const files = ['pipeline/*.yaml', 'examples/*/pipeline/*.yaml'].flatMap((pattern) =>
    globSync(pattern, { cwd: repository }),
  );
  const called = new Set<string>();
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(repository, file), 'utf8'))) {
      const { tasks } = pipelineSchema.parse(document.toJS()).spec;
      for (const { taskRef, params = [], workspaces = [] } of tasks) {
        if (taskRef === undefined || 'name' in taskRef) continue;
        const name = taskRef.params[0].value;
        called.add(name);
        const spec = taskSchema.shape.spec.parse(await readStandIn(name, pins));
        for (const { name: param, value } of params) {
          const type = Array.isArray(value) ? 'array' : 'string';
          expect(spec.params).toContainEqual(expect.objectContaining({ name: param, type }));
        }
        const passed = params.map((param) => param.name);
        const required = spec.params.filter((param) => param.default === undefined);
        for (const { name: param } of required) expect(passed).toContain(param);
        for (const workspace of workspaces) {
          expect(spec.workspaces).toContainEqual(expect.objectContaining({ name: workspace.name }));
        }
      }
    }
  }
  expect([...called].sort()).toEqual([...STAND_INS].sort());
});

test('a task without a stand-in is refused by name', async () => {
  for (const name of ['sast-snyk-check', '../package', '__proto__', 'toString']) {
    await expect(readStandIn(name, pins)).rejects.toMatchObject({ code: 'NO_STAND_IN', found: name });
  }
});

test('an image that is no pin is refused', async () => {
  const { 'task-runner': _, ...images } = pins.images;
  const incomplete = { ...pins, images } as unknown as Pins;
  await expect(readStandIn('init', incomplete)).rejects.toMatchObject({ code: 'NO_STAND_IN', found: 'task-runner' });
});
