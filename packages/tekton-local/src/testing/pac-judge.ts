import { fileURLToPath } from 'node:url';
import { buildGo, type GoBuild, goBuilt, goVersion } from '@multi-image/testing/go-build';
import type { ChangedFiles } from '../pac/event.ts';
import { JudgeProcess } from './judge-process.ts';

// Pipelines as Code's own controller as the judge: a program of Go that is made of the module that judge-pac/go.mod names.

/** A webhook, and what else the controller would ask a git provider or the cluster for. */
export interface PacQuestion {
  headers: Readonly<Record<string, string>>;
  body: unknown;
  /** A comment on the pull request that the body is about. */
  comment?: string | undefined;
  /** What GitHub says of the pull request that an `issue_comment` is about. */
  pull?: unknown;
  commitMessage?: string | undefined;
  files?: ChangedFiles | undefined;
  /** The files of `.tekton`, in their order. */
  folder?: readonly { name: string; text: string }[] | undefined;
  /** The `spec` of the Repository. */
  repository?: object | undefined;
  secrets?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /** Other files of the repository, by path. */
  checkout?: Readonly<Record<string, string>> | undefined;
  /** Asks for the fields of webhooks that are kept, and for nothing else. */
  shapes?: boolean;
  /** A text in which `{{ … }}` is to be replaced. */
  text?: string | undefined;
}

/** What Pipelines as Code says. */
export interface PacJudgement {
  /** Why it does not act on the event. */
  refused?: string;
  trigger?: string;
  type?: string;
  variables?: Record<string, string>;
  text?: string;
  /** The PipelineRuns that it created. */
  runs?: {
    metadata: { name?: string; generateName?: string; annotations?: Record<string, string> };
    spec: { params?: unknown };
  }[];
  /** Its warnings and errors. */
  said?: string[];
  shapes?: Record<string, Record<string, string>>;
  /** What it crashes with. */
  panic?: string;
}

const BUILD: GoBuild = {
  program: 'tekton-local',
  name: 'judge-pac',
  source: fileURLToPath(new URL('../../judge-pac', import.meta.url)),
  args: ['build', '-mod=readonly', '-ldflags=-s -w', '-o', 'OUTPUT', '.'],
};

/** The built judge; undefined where nobody has built it from these sources. */
export function pacJudgeProgram(): string | undefined {
  return goBuilt(BUILD);
}

/**
 * Builds the judge, unless it is there: minutes of processor time once, and nothing until its sources change.
 *
 * @returns Its path; undefined where there is no Go.
 */
export function buildPacJudge(): string | undefined {
  return goVersion() === '' ? undefined : buildGo(BUILD);
}

export class PacJudge extends JudgeProcess<PacQuestion, PacJudgement> {
  constructor(program: string) {
    super([program], { ended: { panic: 'the judge has ended' } });
  }
}
