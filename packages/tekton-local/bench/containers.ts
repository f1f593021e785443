import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { busyboxImage } from '@multi-image/testing/busybox';
import { stringify } from 'yaml';
import { COMMON_ARGUMENTS, probeContainers } from '../src/containers/containers.ts';
import { formatGoal, median } from './measure.ts';

// What the built command takes where steps are containers, beside the same containers started by a shell, in turns: how long
// podman takes is this machine's matter. Seconds, of the clock: nobody waits for a processor.

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, steps: { type: 'string', default: '200' } },
});
const STEPS = Number(values.steps);
const COMMAND = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (!existsSync(COMMAND)) throw new Error(`there is no ${COMMAND}: pnpm --filter @multi-image/tekton-local build`);

const image = busyboxImage();
const { runArguments } = await probeContainers();
const SCRIPT = ['/bin/busybox', 'true'];
const podman = (...network: string[]): string[] => [
  ...['podman', 'run', '--rm', '--pull=missing', ...COMMON_ARGUMENTS, ...runArguments, ...network],
  ...['--entrypoint', JSON.stringify(SCRIPT), image],
];
/** As a person types it, and with the network that steps have here. */
const typed = podman();
const same = podman('--network=none');

const folder = mkdtempSync(join(tmpdir(), 'tekton-local-bench-'));
try {
  const one = pipeline('one', [{ steps: 1 }]);
  const ten = pipeline('ten', Array(10).fill({ steps: 1 }));
  const many = pipeline('many', [{ steps: STEPS }]);
  const loop = (command: readonly string[]): string[] => [
    ...['bash', '-c', `for i in $(seq ${STEPS}); do "$@" || exit; done`, 'bash', ...command],
  ];
  // What ten parallel tasks can't be faster than: podman's containers wait for each other.
  const atOnce = ['bash', '-c', 'for i in $(seq 10); do "$@" & done; wait', 'bash', ...same];
  const start = round(Number(values.rounds), { bare: typed, same, atOnce, one: run(one), ten: run(ten) });
  // As long as a hundred of the others.
  const long = round(1, { loop: loop(typed), same: loop(same), many: run(many) });
  const text = (what: string, seconds: number): string => `${what} ${seconds.toFixed(2)} s`;
  process.stdout.write(
    `${text('podman run', start.bare)}, ${text('without a network', start.same)}, ${text('ten of these at once', start.atOnce)}` +
      ` or ${(start.atOnce / start.bare).toFixed(2)} podman runs\n` +
      formatGoal(`1 step (${text('', start.one)}), in podman runs`, start.one / start.bare, 1.2) +
      formatGoal(`10 parallel tasks (${text('', start.ten)}), in podman runs`, start.ten / start.bare, 3.2) +
      formatGoal(`${STEPS} steps (${text('', long.many)}), beside a loop of podman run`, long.many / long.loop, 0.6) +
      formatGoal(`${STEPS} steps, beside a loop of podman run without a network`, long.many / long.same, 0.6),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(file: string): string[] {
  return [process.execPath, COMMAND, 'run', file];
}

/** A PipelineRun of independent tasks with that many steps each. */
function pipeline(name: string, tasks: readonly { steps: number }[]): string {
  const file = join(folder, `${name}.yaml`);
  const step = (_: unknown, index: number): object => ({ name: `step-${index}`, image, command: SCRIPT });
  const all = tasks.map(({ steps }, index) => ({
    name: `task-${index}`,
    taskSpec: { steps: Array.from({ length: steps }, step) },
  }));
  const spec = { pipelineSpec: { tasks: all } };
  writeFileSync(file, stringify({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: { name }, spec }));
  return file;
}

/** The seconds of each command, in the middle of so many rounds after a first one. */
function round<Name extends string>(
  rounds: number,
  commands: Record<Name, readonly string[]>,
): Readonly<Record<Name, number>> {
  const entries = Object.entries<readonly string[]>(commands) as [Name, readonly string[]][];
  const all = Array.from({ length: rounds + (rounds > 1 ? 1 : 0) }, () =>
    entries.map(([name, [program = '', ...args]]) => {
      const began = performance.now();
      const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      return (performance.now() - began) / 1000;
    }),
  ).slice(rounds > 1 ? 1 : 0);
  return Object.fromEntries(
    entries.map(([name], index) => [name, median(all.map((times) => times[index] ?? Number.NaN))]),
  ) as Record<Name, number>;
}
