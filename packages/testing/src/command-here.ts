export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One at a time: a process has one environment and one exit code. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a whole command in this process, with this environment and no other, and answers with what it printed and its exit
 * code. A process of its own takes twenty times as long, and proves no more unless it is about signals, pipes or how the
 * command is found.
 */
export function runHere(command: () => Promise<void>, environment: Readonly<Record<string, string>>): Promise<Outcome> {
  const run = last.then(() => captured(command, environment));
  last = run.catch(() => {});
  return run;
}

async function captured(command: () => Promise<void>, environment: Readonly<Record<string, string>>): Promise<Outcome> {
  const { exitCode } = process;
  const before = { ...process.env };
  const said = { stdout: '', stderr: '' };
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const { write } = stream;
    const listeners = stream.listeners('error');
    stream.write = ((chunk: string | Uint8Array) => {
      said[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return true;
    }) as typeof write;
    return () => {
      stream.write = write;
      for (const listener of stream.listeners('error')) {
        if (!listeners.includes(listener)) stream.off('error', listener as () => void);
      }
    };
  });
  replaceEnvironment(environment);
  process.exitCode = undefined;
  try {
    await command();
    return { status: Number(process.exitCode ?? 0), ...said };
  } finally {
    process.exitCode = exitCode;
    replaceEnvironment(before);
    for (const each of restore) each();
  }
}

function replaceEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}
