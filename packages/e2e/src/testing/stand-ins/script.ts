import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPins } from '@multi-image/manifests';
import { type TaskSpec, taskSchema } from '@multi-image/testing/tekton-schema';
import { readStandIn } from '../../targets/stand-ins.ts';
import { RETRY_PAUSES } from './run-task.ts';

/** A stand-in as the schema of Tasks reads it. */
export function specOf(task: string): TaskSpec {
  return taskSchema.shape.spec.parse(readStandIn(task, readPins(), 'machine'));
}

/**
 * Runs the script of a stand-in on this machine, without a container: for what it refuses before it does anything.
 *
 * @param given Params, and references like `workspaces.basic-auth.bound`; everything else has its default.
 */
export async function runScript(
  task: string,
  given: Readonly<Record<string, string | readonly string[]>>,
): Promise<{ status: number | null; output: string }> {
  const { steps, params } = specOf(task);
  const step = steps.find(({ script }) => script !== undefined);
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-script-'));
  mkdirSync(join(folder, 'workdir'));
  const values = new Map(params.map((param) => [param.name, given[param.name] ?? param.default ?? 'unset']));
  const fill = (text: string): string =>
    text.replace(/\$\(([\w.-]+)\)/g, (_, reference: string) => {
      const [kind = '', name = ''] = reference.split('.');
      if (kind === 'params') return String(values.get(name));
      if (kind === 'results') return join(folder, name);
      return String(given[reference] ?? (reference.endsWith('.bound') ? 'false' : 'name'));
    });
  const args = (step?.args ?? []).flatMap((argument) => {
    const name = /^\$\(params\.([\w.-]+)\[\*\]\)$/.exec(argument)?.[1];
    return name === undefined ? [fill(argument)] : [...(values.get(name) ?? [])];
  });
  // What a step has for itself is this folder's: nothing of this machine is touched, even where a script goes on.
  const own = (text: string): string => text.replaceAll(/\/var\/(?=workdir|lib\/containers)/g, `${folder}/`);
  const script = own(step?.script ?? '');
  const env = Object.fromEntries(
    (step?.env ?? []).map((variable) => [variable.name, 'value' in variable ? fill(own(variable.value)) : '']),
  );
  try {
    const child = spawn('bash', ['-c', script, 'script', ...args], {
      env: {
        ...{ PATH: process.env.PATH, HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder },
        ...{ RETRY_PAUSES: RETRY_PAUSES.join(' '), ...env },
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const [status] = await once(child, 'close');
    return { status, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
