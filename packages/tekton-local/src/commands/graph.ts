import { EXIT } from '@multi-image/kit/command-line';
import { printable } from '@multi-image/kit/terminal';
import { TektonLocalError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { planRun } from '../plan-run.ts';
import { COMMON, EVENT, GIVEN, givenOptions, parseOptions } from './options.ts';
import { whichRuns } from './which-runs.ts';

export const USAGE = `tekton-local graph [FILE|FOLDER]… [options]  the order of the tasks, as a diagram; starts nothing

  -o mermaid|dot           what it is written in (default: mermaid)
  Otherwise what tekton-local plan takes.
`;

const OPTIONS = { ...COMMON, ...EVENT, ...GIVEN, output: { type: 'string', short: 'o' } } as const;

/** Draws which task waits for which. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const { output = 'mermaid' } = values;
  if (output !== 'mermaid' && output !== 'dot') {
    throw new TektonLocalError('USAGE', '--output needs mermaid or dot', { found: output });
  }
  const { root, runs, beside, variables, lookup } = await whichRuns(positionals, values);
  for (const { file, name } of runs) {
    const plan = await planRun({ root, file, name, beside, variables, lookup, ...givenOptions(values) });
    process.stdout.write(printable(output === 'dot' ? dotOf(plan) : mermaidOf(plan), '\n'));
  }
  return EXIT.done;
}

/** Names of tasks are words and dashes: nothing in them has to be quoted. */
function mermaidOf({ pipeline, dependencies }: Plan): string {
  const lines = ['flowchart TD'];
  for (const { name, when, matrix, include } of pipeline.tasks) {
    const each = [...new Set([...matrix, ...include.flat()].map((param) => param.name))];
    const text = each.length > 0 ? `${name} × ${each.join(', ')}` : name;
    lines.push(when.length > 0 ? `  ${name}{{"${text}"}}` : `  ${name}["${text}"]`);
  }
  for (const { name } of pipeline.tasks) {
    for (const other of dependencies.get(name)?.all ?? []) lines.push(`  ${other} --> ${name}`);
  }
  if (pipeline.finally.length > 0) {
    lines.push('  subgraph finally', ...pipeline.finally.map(({ name }) => `    ${name}["${name}"]`), '  end');
  }
  return `${lines.join('\n')}\n`;
}

function dotOf({ run, pipeline, dependencies }: Plan): string {
  const lines = [`digraph "${run.name}" {`, '  node [shape=box]'];
  for (const { name, when } of pipeline.tasks) lines.push(`  "${name}"${when.length > 0 ? ' [shape=hexagon]' : ''}`);
  for (const { name } of pipeline.tasks) {
    for (const other of dependencies.get(name)?.all ?? []) lines.push(`  "${other}" -> "${name}"`);
  }
  const last = pipeline.finally.map(({ name }) => `"${name}"`).join('; ');
  if (last !== '') lines.push(`  subgraph cluster_finally { label=finally; ${last} }`);
  return `${[...lines, '}'].join('\n')}\n`;
}
