import type { CommandErrorCode } from '@multi-image/kit/commands';
import { CodedError, type ErrorDetails, isCodedError, reasonOf } from '@multi-image/kit/errors';

/** Why tekton-local refuses or gives up. Each code is stable. */
export type TektonLocalErrorCode =
  /** A file is missing, outside the checkout folder, or not readable. */
  | 'FILE_NOT_READABLE'
  /** A file that was asked for could not be written. */
  | 'FILE_UNWRITABLE'
  /** A file is not YAML that can be read safely. */
  | 'YAML_INVALID'
  /** The file contradicts Tekton's documentation: a cluster would refuse it as well. */
  | 'INVALID'
  /** Tekton could run it, tekton-local does not. */
  | 'UNSUPPORTED'
  /** A `{{ variable }}` that neither the caller nor the git state gives. */
  | 'VARIABLE_UNKNOWN'
  /** A Pipeline, Task or bundle task that was named but not found. */
  | 'NOT_FOUND'
  /** A tool (git, buildah, podman) is not installed or failed, or the caller ended it. */
  | CommandErrorCode
  /** An option of the call is wrong. */
  | 'USAGE'
  /** The port that a registry was to listen on is not free. */
  | 'PORT_TAKEN'
  /** The run's own registry did not start. */
  | 'REGISTRY_FAILED'
  /** No way to run a container works on this machine. */
  | 'CONTAINERS_UNUSABLE';

/** One thing that is wrong in a file. */
export interface Problem {
  readonly code: TektonLocalErrorCode;
  /** The file, relative to the checkout folder. */
  readonly file: string;
  /** The place in the file, e.g. `spec.tasks[2].matrix.include`. */
  readonly path: string;
  /** The line in the file, from 1. */
  readonly line?: number | undefined;
  /** The column in that line, from 1. */
  readonly column?: number | undefined;
  readonly message: string;
}

/** What every refusal of this package is. Nothing has been started when it is thrown. */
export class TektonLocalError extends CodedError<TektonLocalErrorCode> {
  /** All that is wrong in the files, not only the first; the message says all of it as well. */
  readonly problems: readonly Problem[];

  constructor(
    code: TektonLocalErrorCode,
    message: string,
    details: ErrorDetails & { problems?: readonly Problem[] } = {},
  ) {
    super(code, message, details);
    this.problems = details.problems ?? [];
  }
}

/** Why something failed, in a sentence, with what was found: a tool's last words, a registry's answer. */
export function failureText(error: unknown): string {
  const said = isCodedError(error) ? error.found : undefined;
  return said === undefined ? reasonOf(error) : `${reasonOf(error)}: ${said}`;
}

/** Throws one error for all problems, if there are any. */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...more] = problems;
  if (first !== undefined) throw problemsError([first, ...more]);
}

/** One error for problems of files, in their order there; with the code of what a cluster would refuse too, if any is. */
export function problemsError(problems: readonly [Problem, ...Problem[]]): TektonLocalError {
  const sorted = [...problems].sort(
    (a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  const code = problems.find((problem) => problem.code === 'INVALID')?.code ?? problems[0].code;
  const lines = sorted.map((problem) => {
    const { file, line, column, path, message } = problem;
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    // What is not of the kind that the error says says its own: a limit of this program is no fault of the file.
    return [place, path, problem.code === code ? '' : problem.code, message].filter((part) => part !== '').join(': ');
  });
  return new TektonLocalError(code, lines.join('\n'), { problems: sorted });
}
