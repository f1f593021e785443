import { EXIT } from '@multi-image/kit/command-line';
import { printable, printableJson } from '@multi-image/kit/terminal';
import { candidatesIn } from '../pac/candidates.ts';
import { pacContext } from '../pac/context.ts';
import { COMMON, EVENT, isJson, parseOptions } from './options.ts';
import { eventOptions, filesOf } from './which-runs.ts';

export const USAGE = `tekton-local list [FILE|FOLDER]… [options]  which PipelineRuns an event starts, and why

  --event push|pull_request|FILE  of the checkout, or a webhook's body of GitHub or GitLab (default: push)
  --header NAME=VALUE      a header of the webhook
  --changed PATH           a file that was changed, in place of what git says
  --comment TEXT           a comment on the pull request, for on-comment
  --target-branch NAME     the branch that the checkout is pushed to or merged into
  --repository FILE        a Repository of Pipelines as Code, for its custom params
  --variable NAME=VALUE    a {{ variable }} (default: from the event)
  --secret NAME=FOLDER     a folder that stands for the Secret NAME: a file for each key
  -o json                  as JSON
`;

const OPTIONS = { ...COMMON, ...EVENT, output: { type: 'string', short: 'o' } } as const;

/** Says of each PipelineRun whether an event starts it; failed where that can't be known of one. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const json = isJson(values.output);
  const { root, files } = filesOf(positionals, values.root);
  const context = await pacContext(eventOptions(root, values));
  const { candidates: runs, context: after } = candidatesIn(root, files, context);
  const note = after.problem;
  const { from, trigger, type, baseBranch, revision } = context.event;
  if (json) {
    const shown = runs.map(({ decides: _, ...each }) => each);
    process.stdout.write(
      `${printableJson({ event: { from, trigger, type, baseBranch, revision }, note, runs: shown })}\n`,
    );
  } else {
    const width = Math.max(0, ...runs.map(({ name }) => name.length));
    const word = { yes: 'starts', no: '-', unknown: '?' } as const;
    const lines = runs.map(({ name, file, starts, unknown, why }) => {
      const answer = word[starts ? 'yes' : unknown ? 'unknown' : 'no'];
      return `  ${answer.padEnd(6)}  ${name.padEnd(width)}  ${file}: ${why}`;
    });
    const commit = revision === undefined ? '' : ` (${revision.slice(0, 7)})`;
    const head = `${from}${baseBranch === undefined ? '' : `, ${baseBranch}`}${commit}`;
    process.stdout.write(
      `${printable([head, ...(note === undefined ? [] : [`note: ${note}`]), ...lines].join('\n'), '\n')}\n`,
    );
  }
  return runs.some(({ unknown }) => unknown) ? EXIT.failed : EXIT.done;
}
