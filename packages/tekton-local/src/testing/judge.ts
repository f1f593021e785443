import { fileURLToPath } from 'node:url';
import { buildGo, type GoBuild, goBuilt, goModule, goVersion } from '@multi-image/testing/go-build';
import { JudgeProcess } from './judge-process.ts';

// Tekton's own code as the judge: a program of Go that is made of the modules that judge/go.mod names.

const SOURCE = fileURLToPath(new URL('../../judge', import.meta.url));

/** What is asked of the judge. */
export interface Question {
  yaml: string;
  /** How TaskRuns end, by the names of their pipeline tasks; what is not named succeeds with all of its results. */
  run?: { tasks?: Record<string, JudgedEnding & { each?: JudgedEnding[] }> };
  /** The documents as JSON, and nothing else. */
  json?: boolean;
}

/** How a TaskRun ends. */
export interface JudgedEnding {
  fails?: boolean;
  results?: Record<string, unknown>;
}

export interface JudgedStep {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  script?: string;
  workingDir?: string;
  onError?: string;
  /** `NAME=value`, in their order. */
  env?: string[];
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

const BUILD: GoBuild = {
  program: 'tekton-local',
  name: 'judge',
  source: SOURCE,
  args: ['test', '-mod=mod', '-c', '-o', 'OUTPUT', '.'],
};

/** The built judge; undefined where nobody has built it from these sources. */
export function judgeProgram(): string | undefined {
  return goBuilt(BUILD);
}

/**
 * Builds the judge, unless it is there: minutes of processor time once, and nothing until its sources change.
 *
 * @returns Its path; undefined where there is no Go.
 */
export function buildJudge(): string | undefined {
  return goVersion() === '' ? undefined : buildGo(BUILD);
}

/** The folder of Tekton's module: its CRDs, and its examples. */
export function tektonModule(): string {
  return goModule(SOURCE, 'github.com/tektoncd/pipeline');
}

/** The judge on its bench. */
export class Judge extends JudgeProcess<Question, Judgement> {
  constructor(program: string, tekton: string) {
    super([program, '-test.run', 'TestServe', '-test.timeout', '0'], {
      prefix: 'judge:',
      env: { TEKTON_MODULE: tekton },
      ended: { documents: [], failure: 'the judge has ended' },
    });
  }
}
