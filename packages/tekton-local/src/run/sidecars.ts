import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '@multi-image/kit/errors';
import type { Executor, StepCommand } from '../executors/executor.ts';
import type { Probe, Sidecar } from '../plan/model.ts';

/** A sidecar with everything filled in. */
export interface SidecarCommand {
  sidecar: Sidecar;
  command: StepCommand;
}

/** How long a sidecar has between being asked to end and being ended. */
const GRACE = 300;
const PAUSE = 50;

/**
 * Runs something beside sidecars: once all of them run and are ready, or have ended by themselves, as in Tekton. Whatever
 * becomes of it, none of them is left. How a sidecar ends means nothing; one that can't be started is an error.
 *
 * @param run Gets the name of a sidecar that runs, whose network others may share.
 */
export async function besideSidecars<Result>(
  sidecars: readonly SidecarCommand[],
  executor: Executor,
  signal: AbortSignal,
  run: (alive: () => string | undefined) => Promise<Result>,
): Promise<Result> {
  const started: Started[] = [];
  const alive = (): string | undefined => started.find((each) => !each.hasEnded())?.name;
  try {
    for (const { sidecar, command } of sidecars) {
      const each = start({ sidecar, command: { ...command, networkOf: alive() } }, executor, signal);
      started.push(each);
      await each.runs;
    }
    await Promise.all(started.map((each) => each.ready()));
    return await run(alive);
  } finally {
    await Promise.all(started.map((each) => each.stop()));
  }
}

interface Started {
  name: string;
  runs: Promise<void>;
  hasEnded(): boolean;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

function start({ sidecar, command }: SidecarCommand, executor: Executor, signal: AbortSignal): Started {
  const { beside } = executor;
  if (beside === undefined) throw new Error('sidecars need containers');
  const end = new AbortController();
  let hasEnded = false;
  let failure: unknown;
  const running = executor.run({ ...command, signal: end.signal }).then(
    () => {
      hasEnded = true;
    },
    (error: unknown) => {
      hasEnded = true;
      failure = error;
    },
  );
  const waitFor = async (holds: () => Promise<boolean>, pause: number): Promise<void> => {
    while (!hasEnded && !(await holds())) {
      signal.throwIfAborted();
      await Promise.race([sleep(pause), running]);
    }
    if (failure !== undefined) throw new Error(`the sidecar ${sidecar.name} was not started: ${reasonOf(failure)}`);
  };
  const becomeReady = async (): Promise<void> => {
    const { ready } = sidecar;
    if (ready === undefined || hasEnded) return;
    await Promise.race([sleep(ready.delay), running]);
    await waitFor(() => holds(ready, command.name, executor), ready.period);
  };
  return {
    name: command.name,
    runs: waitFor(() => beside.isRunning(command.name), PAUSE),
    hasEnded: () => hasEnded,
    ready: becomeReady,
    async stop() {
      if (!hasEnded) await beside.terminate(command.name);
      await Promise.race([sleep(GRACE), running]);
      end.abort(new Error('the steps have ended'));
      await running;
    },
  };
}

/** Whether a probe succeeds now. */
async function holds({ check, timeout }: Probe, name: string, { beside }: Executor): Promise<boolean> {
  if (check.kind === 'command') return (await beside?.succeeds(name, check.command, timeout)) === true;
  if (check.kind === 'port') return await connects(check.host, Number(check.port), timeout);
  const url = `${check.scheme}://${check.host}:${check.port}${check.path}`;
  return await fetch(url, { signal: AbortSignal.timeout(timeout), redirect: 'manual' }).then(
    ({ status }) => status >= 200 && status < 400,
    () => false,
  );
}

function connects(host: string, port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout });
    const end = (connected: boolean) => () => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
