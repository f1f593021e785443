import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A checkout folder with these files, removed by `remove`. */
export function makeCheckout(files: Readonly<Record<string, string>>): { root: string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'tekton-local-test-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** A PipelineRun that embeds its pipeline. JSON is YAML as well. */
export function pipelineRun(
  pipelineSpec: object,
  spec: object = {},
  metadata: object = { name: 'test' },
): Record<string, string> {
  const run = { apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata, spec: { pipelineSpec, ...spec } };
  return { 'run.yaml': JSON.stringify(run, null, 1) };
}

/** A pipeline task of one step that runs a script. */
export function scriptTask(
  name: string,
  script: string,
  more: { task?: object; spec?: object; step?: object } = {},
): object {
  return {
    name,
    taskSpec: { steps: [{ name: 'run', image: 'test-image', script, ...more.step }], ...more.spec },
    ...more.task,
  };
}
