import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// Tekton's own code as the judge: a program of Go that is made of the modules that judge/go.mod names.

const SOURCE = fileURLToPath(new URL('../../judge', import.meta.url));
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tekton-local');

/** What is asked of the judge. */
export interface Question {
  yaml: string;
  /** How TaskRuns end, by the names of their pipeline tasks; what is not named succeeds with all of its results. */
  run?: { tasks?: Record<string, { fails?: boolean; results?: Record<string, unknown> }> };
  /** The documents as JSON, and nothing else. */
  json?: boolean;
}

export interface JudgedStep {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  script?: string;
  workingDir?: string;
  onError?: string;
  env?: Record<string, string>;
}

export interface JudgedTaskRun {
  task: string;
  name: string;
  params: Record<string, unknown>;
  /** Why Tekton would not run it. */
  reason?: string;
  message?: string;
  steps?: JudgedStep[];
}

/** What Tekton says. */
export interface Judgement {
  documents: { kind: string; name: string; errors?: string[]; json?: unknown }[];
  run?: {
    status: string;
    reason: string;
    message: string;
    results?: { name: string; value: unknown }[];
    skipped?: Record<string, string>;
    taskRuns?: JudgedTaskRun[];
  };
  failure?: string;
}

/** The built judge; undefined where nobody has built it from these sources. */
export function judgeProgram(): string | undefined {
  const program = programPath();
  return existsSync(program) ? program : undefined;
}

function programPath(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(SOURCE).sort()) hash.update(file).update(readFileSync(join(SOURCE, file)));
  return join(CACHE, `judge-${hash.digest('hex').slice(0, 16)}`);
}

/**
 * Builds the judge, unless it is there: minutes of processor time once, and nothing until its sources change.
 *
 * @returns Its path; undefined where there is no Go.
 */
export function buildJudge(): string | undefined {
  const program = programPath();
  if (existsSync(program)) return program;
  if (spawnSync('go', ['version']).status !== 0) return undefined;
  mkdirSync(CACHE, { recursive: true });
  const part = `${program}.${process.pid}`;
  execFileSync('go', ['test', '-mod=mod', '-c', '-o', part, '.'], { cwd: SOURCE, stdio: 'inherit' });
  renameSync(part, program);
  return program;
}

/** The folder of Tekton's module: its CRDs, and its examples. */
export function tektonModule(): string {
  const format = ['list', '-mod=mod', '-m', '-f', '{{.Dir}}', 'github.com/tektoncd/pipeline'];
  return execFileSync('go', format, { cwd: SOURCE, encoding: 'utf8' }).trim();
}

/** The judge on its bench: one process for any number of questions. */
export class Judge {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: ((said: Judgement) => void)[] = [];

  constructor(program: string, tekton: string) {
    this.#process = spawn(program, ['-test.run', 'TestServe', '-test.timeout', '0'], {
      env: { ...process.env, TEKTON_MODULE: tekton },
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      if (line.startsWith('judge:')) this.#waiting.shift()?.(JSON.parse(line.slice('judge:'.length)) as Judgement);
    });
    this.#process.stderr.resume();
    this.#process.on('exit', () => {
      for (const end of this.#waiting.splice(0)) end({ documents: [], failure: 'the judge has ended' });
    });
  }

  ask(question: Question): Promise<Judgement> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    });
  }

  stop(): void {
    this.#process.stdin.end();
    this.#process.kill();
  }
}
