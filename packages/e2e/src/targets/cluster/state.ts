import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonOf } from '@multi-image/kit/errors';
import { E2eError } from '../../errors.ts';
import type { RunFacts } from '../../judge/observation.ts';
import type { Secrecy } from './secrecy.ts';

/** What a run has to remember to be taken up again. No object of the cluster, no credential. */
export interface TenantState {
  version: 1;
  server: string;
  namespace: string;
  application: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** PipelineRuns that were there before the builds were asked for. */
  before: readonly string[];
  /** Whether the builds are being asked for: some may be, some not. */
  triggering?: boolean;
  /** When the builds were asked for, all of them. */
  triggeredAt?: number | undefined;
  revision?: string;
  /** The word in the names of the runs that this command made itself. */
  invocation?: string;
  /** Where that command was told to build, if anywhere else than the config says. */
  imageRegistry?: string | undefined;
  gitUrl?: string | undefined;
  /** What Chains wrote on the runs, by component. */
  signed?: Readonly<Record<string, string>>;
  /** Runs that are over: Konflux prunes them soon. By component. */
  finished: Readonly<Record<string, RunFacts>>;
}

export function defaultStateFile(server: string, namespace: string, application: string): string {
  const base = process.env.XDG_STATE_HOME || join(homedir(), '.local/state');
  const where = createHash('sha256').update(server).digest('hex').slice(0, 8);
  return join(base, 'multi-image-e2e', `${namespace}-${application}-${where}.json`);
}

/** Writes the file as a whole or not at all: a run can be killed at any time. Throws `STATE_INVALID`. */
async function saveState(file: string, state: TenantState): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    if (await isFolder(file)) throw new Error('a folder');
    await makeFolder(dirname(file));
    await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw new E2eError('STATE_INVALID', `the run's state can't be written to ${file}`, {
      expected: 'a file that this user may write, so that --resume can take up what was begun',
      found: reasonOf(cause),
      hint: '--state names another file',
      cause,
    });
  }
}

/** As `mkdir` with `recursive`, which never ends below a folder like /proc that denies to know what it won't hold. */
async function makeFolder(folder: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(folder, { mode: 0o700 }).catch(async (error) => {
      if (error.code !== 'EEXIST' || !(await isFolder(folder))) throw error;
    });
  await make().catch(async (error) => {
    if (error.code !== 'ENOENT') throw error;
    await makeFolder(dirname(folder));
    await make();
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Reads what {@link saveState} wrote, for this place. Throws `STATE_INVALID`. */
export async function loadState(
  file: string,
  place: Pick<TenantState, 'server' | 'namespace' | 'application'>,
): Promise<TenantState> {
  const invalid = (found: string): E2eError =>
    new E2eError('STATE_INVALID', `nothing to resume in ${file}`, {
      expected: `the state of a run of ${place.application} in ${place.namespace}`,
      found,
      hint: 'start a new run without --resume, or follow a push with --commit',
    });
  const raw = await readFile(file, 'utf8').catch((error) => {
    throw invalid(error.code === 'ENOENT' ? 'no such file' : error.message);
  });
  let state: Partial<TenantState>;
  try {
    state = JSON.parse(raw);
  } catch {
    throw invalid('a file that is not JSON');
  }
  if (state?.version !== 1) throw invalid(`version ${state?.version}`);
  for (const key of ['server', 'namespace', 'application'] as const) {
    if (state[key] !== place[key]) throw invalid(`${key} ${state[key]}`);
  }
  const good = typeof state.startedAt === 'number' && Array.isArray(state.before) && typeof state.finished === 'object';
  if (!good) throw invalid('fields that are missing');
  return state as TenantState;
}

/** The state of a run that goes on: what becomes known is written in the order in which it was told. */
export class StateKeeper {
  readonly #file: string;
  readonly #secrecy: Secrecy;
  #state: TenantState;
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string, state: TenantState, secrecy: Secrecy) {
    this.#file = file;
    this.#state = state;
    this.#secrecy = secrecy;
  }

  get state(): TenantState {
    return this.#state;
  }

  /** Adds what is known now, and begins to write it. */
  note(known: Partial<TenantState>): void {
    this.#state = { ...this.#state, ...known };
    const state = this.#secrecy.cleanAll(this.#state);
    this.#saving = this.#saving.then(() => saveState(this.#file, state));
    // Whoever waits for it hears of a failure; until then it must not count as unhandled.
    this.#saving.catch(() => {});
  }

  /** Adds what is known now, and waits until it is written. Throws where it could not be. */
  async save(known: Partial<TenantState>): Promise<void> {
    this.note(known);
    await this.settled();
  }

  /** Waits until everything is written. Throws where it could not be. */
  settled(): Promise<void> {
    return this.#saving;
  }
}
