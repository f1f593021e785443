/** A process that this one has started, and that is not to outlive it. */
export interface Tied {
  /** Ends it, where it has not ended by itself. */
  kill(): void;
  /** It has ended, or may stay. */
  release(): void;
}

const tied = new Set<() => void>();

/**
 * Ends a process where this one ends before it.
 *
 * @param pid Undefined where it could not be started.
 * @param group Whether it has a group of its own, which ends with it.
 */
export function tie(pid: number | undefined, { group = false }: { group?: boolean | undefined } = {}): Tied {
  const kill = (): void => {
    if (pid === undefined) return;
    try {
      process.kill(group ? -pid : pid, 'SIGKILL');
    } catch {
      // It has ended by itself in the meantime.
    }
  };
  // One listener for all of them: Node takes many of one kind for a leak, and says so.
  if (!process.listeners('exit').includes(killAll)) process.on('exit', killAll);
  tied.add(kill);
  return { kill, release: () => tied.delete(kill) };
}

function killAll(): void {
  for (const kill of tied) kill();
}
