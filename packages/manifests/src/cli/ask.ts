import type { Readable, Writable } from 'node:stream';
import { cancel, intro, isCancel, log, outro, text } from '@clack/prompts';
import { printable } from '@multi-image/kit/terminal';
import { findOtherRegistry } from '../chain/konflux-registry.ts';
import { isPlaceholder } from '../chain/placeholders.ts';
import { planChain } from '../chain/plan.ts';
import type { ChainConfig } from '../config/schema.ts';
import { type Answers, apply, FIELDS, type Field, problemWith, textAt } from './answers.ts';

export interface AskStreams {
  input?: Readable;
  output?: Writable;
}

/**
 * Asks for what a fork says about itself, on a terminal. Each answer is checked where it is given, and one that is wrong
 * stays to be mended. Undefined where the user gave up (Ctrl-C).
 */
export async function ask(
  config: ChainConfig,
  remote: string | undefined,
  streams: AskStreams = {},
): Promise<Answers | undefined> {
  // A terminal of unknown width (a console, script(1)) says 0, and would get a letter a line.
  if (!process.stdout.columns) process.stdout.columns = 80;
  intro('The values of your fork. Enter takes what is there; Ctrl-C leaves, and writes nothing.', streams);
  if (remote === undefined) {
    log.warn('git has no remote origin with a URL of a server, so the URL of your repository has to be given', streams);
  }
  const fields = [
    ...Object.entries(FIELDS).map(([field, { question }]) => ({ field, question })),
    ...config.images.flatMap(({ role }, index) => [
      { field: `images.${index}.component`, question: `The Konflux Component of the image "${role}"` },
      { field: `images.${index}.repository`, question: `The repository of the image "${role}"` },
    ]),
  ].filter(({ field }) => field in FIELDS || textAt(config, field) !== undefined);
  let answers: Answers = {};
  for (const { field, question } of fields) {
    const proposed = proposalFor(config, answers, field as Field, remote);
    const answer = await text({
      ...streams,
      message: question,
      initialValue: printable(proposed ?? ''),
      placeholder: proposed === undefined ? textAt(config, field) : undefined,
      validate: (value) => {
        if (!value?.trim() && isOptional(field)) return undefined;
        const problem = problemWith(config, { ...answers, [field]: value?.trim() ?? '' }, field);
        return problem && `expected ${problem}`;
      },
    });
    if (isCancel(answer)) {
      cancel('Nothing was written.', streams);
      return undefined;
    }
    if (answer.trim() !== '') answers = { ...answers, [field]: answer.trim() };
  }
  outro('Thank you. Rendering.', streams);
  return answers;
}

function isOptional(field: string): boolean {
  return field === 'displayName' || field === 'labelPrefix' || field === 'git.branch';
}

/** What stands in the line to be taken or mended: never a placeholder. */
function proposalFor(
  config: ChainConfig,
  answers: Answers,
  field: Field,
  remote: string | undefined,
): string | undefined {
  const current = field === 'git.url' ? (remote ?? textAt(config, field)) : textAt(config, field);
  if (current === undefined || isPlaceholder(current)) return undefined;
  if (field !== 'registry') return current;
  return findOtherRegistry(planChain(apply(config, answers))) ?? current;
}
