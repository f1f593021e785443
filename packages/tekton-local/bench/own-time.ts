import type { ChildProcess } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';

/**
 * The milliseconds of an action in which none of the programs that it starts was running. What podman takes changes
 * more from run to run than all that is done around it: a difference of two long times would say nothing.
 */
export async function ownTime(action: () => Promise<unknown>): Promise<number> {
  let running = 0;
  let own = 0;
  let since = performance.now();
  const onSpawn = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    if (running++ === 0) own += performance.now() - since;
    child.once('exit', () => {
      if (--running === 0) since = performance.now();
    });
  };
  channel('child_process').subscribe(onSpawn);
  try {
    await action();
    if (running === 0) own += performance.now() - since;
  } finally {
    channel('child_process').unsubscribe(onSpawn);
  }
  return own;
}
