import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that answers each line of JSON with a line of JSON: one process for any number of questions. */
export class JudgeProcess<Question, Answer> {
  readonly #start: () => ChildProcessWithoutNullStreams;
  readonly #prefix: string;
  readonly #ended: Answer;
  #process: ChildProcessWithoutNullStreams | undefined;
  readonly #waiting: ((said: Answer) => void)[] = [];

  /**
   * @param prefix What each line with an answer begins with; other lines are none.
   * @param ended The answer where the process ends instead; the next question starts another one.
   */
  constructor(
    command: readonly [program: string, ...args: string[]],
    options: { prefix?: string; env?: Readonly<Record<string, string>>; ended: Answer },
  ) {
    const [program, ...args] = command;
    this.#start = () => spawn(program, args, { env: { ...process.env, ...options.env } });
    this.#prefix = options.prefix ?? '';
    this.#ended = options.ended;
  }

  ask(question: Question): Promise<Answer> {
    this.#process ??= this.#listen(this.#start());
    const { stdin } = this.#process;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      stdin.write(`${JSON.stringify(question)}\n`);
    });
  }

  #listen(judge: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
    createInterface({ input: judge.stdout }).on('line', (line) => {
      if (line.startsWith(this.#prefix)) this.#waiting.shift()?.(JSON.parse(line.slice(this.#prefix.length)) as Answer);
    });
    judge.stderr.resume();
    judge.on('exit', () => {
      this.#process = undefined;
      for (const end of this.#waiting.splice(0)) end(this.#ended);
    });
    return judge;
  }

  stop(): void {
    this.#process?.stdin.end();
    this.#process?.kill();
  }
}
