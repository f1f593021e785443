import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { formatGoal, median } from './measure.ts';

// What planning costs on top of starting Node.js: of the built command, as it is installed, with its compiled code cached.

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const COMMAND = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (!existsSync(COMMAND)) throw new Error(`there is no ${COMMAND}: pnpm --filter @multi-image/tekton-local build`);

const folder = mkdtempSync(join(tmpdir(), 'tekton-local-bench-'));
try {
  const [file, many] = [60, 500].map((count) => join(folder, `${count}.yaml`)) as [string, string];
  writeFileSync(file, stringify(chains(60)));
  writeFileSync(many, stringify(chains(500)));
  const measured = { bare: [] as number[], help: [] as number[], plan: [] as number[], many: [] as number[] };
  for (let round = 0; round <= Number(values.rounds); round++) {
    // In turns: what else this machine does changes from minute to minute.
    const each = {
      bare: cpuOf('-e', '0'),
      help: cpuOf(COMMAND, '--help'),
      plan: cpuOf(COMMAND, 'plan', file),
      many: cpuOf(COMMAND, 'plan', many),
    };
    if (round > 0) for (const key of ['bare', 'help', 'plan', 'many'] as const) measured[key].push(each[key]);
  }
  const [bare, help, plan] = [median(measured.bare), median(measured.help), median(measured.plan)];
  const more = median(measured.many) - plan;
  process.stdout.write(
    `${bare.toFixed(0)} ms of a processor for node -e 0, ${help.toFixed(0)} ms for --help, ${plan.toFixed(0)} ms for the plan\n` +
      formatGoal('planning 60 tasks, over node -e 0', plan - bare, 30, ' ms') +
      formatGoal('planning 60 tasks, in starts of Node.js', plan / bare, 2) +
      // As many as a run may have, and more: each costs what one of a few does.
      formatGoal('planning each of 440 tasks more', more / 440, 0.5, ' ms', 2),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The milliseconds of processors that a program of Node.js takes, with those that it starts. */
function cpuOf(...args: string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" > /dev/null';
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...args], { encoding: 'utf8' });
  const times = stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (status !== 0 || times.length !== 2) throw new Error(stderr);
  return times.reduce((sum, seconds) => sum + seconds * 1000, 0);
}

/** Chains of ten tasks with params, results, conditions, variables and scripts: 1,400 lines of sixty tasks. */
function chains(length: number): object {
  const tasks = Array.from({ length }, (_, index) => {
    const before = index % 10 === 0 ? undefined : `task-${index - 1}`;
    return {
      name: `task-${index}`,
      ...(before === undefined ? {} : { runAfter: [before] }),
      params: [
        { name: 'number', value: `$(params.start)-${index}` },
        ...(before === undefined ? [] : [{ name: 'before', value: `$(tasks.${before}.results.out)` }]),
      ],
      when: [{ input: '$(params.start)', operator: 'notin', values: ['never'] }],
      taskSpec: {
        params: [{ name: 'number' }, { name: 'before', default: 'none' }],
        results: [{ name: 'out' }],
        steps: [
          {
            name: 'say',
            image: 'docker.io/library/busybox',
            env: [{ name: 'NUMBER', value: '$(params.number)' }],
            script: '#!/bin/sh\necho "$NUMBER $(params.before)"\necho -n x > $(results.out.path)\n',
          },
        ],
      },
    };
  });
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'chains' },
    spec: { params: [{ name: 'start', value: '1' }], pipelineSpec: { params: [{ name: 'start' }], tasks } },
  };
}
