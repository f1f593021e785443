import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT } from '@multi-image/kit/command-line';
import { findPlaceholders } from '../chain/placeholders.ts';
import { editConfig } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { readRemote } from '../config/remote.ts';
import { ManifestsError } from '../errors.ts';
import { unifiedDiff } from '../files/diff.ts';
import { writeFiles } from '../files/write.ts';
import { type Answers, FIELDS, type Field, problemWith } from './answers.ts';
import { ask } from './ask.ts';
import { readOptions } from './options.ts';
import { runRender } from './render.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests configure [options]

Sets the values of a fork in konflux.config.ts and renders. Asks for them on a terminal where
none is given. Running it again with the same values changes nothing; it deletes nothing.

  --application NAME   the Konflux Application
  --display-name TEXT  its name for people
  --namespace NAME     the tenant namespace
  --git-url URL        the git repository (default: the remote origin)
  --branch NAME        the branch that is built
  --registry PATH      where the images go: quay.io/my-org/my-tenant where Konflux makes the repositories
  --label-prefix TEXT  of the labels that link the images, such as com.example.chain
  --component ROLE=NAME, --repository ROLE=NAME
                       the Konflux Component and the repository of the image with this role; can be repeated
  --config FILE        the config (default: konflux.config.ts)
  --dry-run            write nothing; show what would change, in every file
  --help               this text

Examples:
  multi-image-manifests configure
  multi-image-manifests configure --namespace my-tenant --registry quay.io/my-org/my-tenant --dry-run
  multi-image-manifests configure --component primary=operator --repository primary=my-operator
`;

/** What a shell answers with for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export async function runConfigure(args: readonly string[]): Promise<number> {
  const options = readOptions({ name: 'configure', help }, args, {
    application: { type: 'string' },
    'display-name': { type: 'string' },
    namespace: { type: 'string' },
    'git-url': { type: 'string' },
    branch: { type: 'string' },
    registry: { type: 'string' },
    'label-prefix': { type: 'string' },
    component: { type: 'string', multiple: true, default: [] },
    repository: { type: 'string', multiple: true, default: [] },
    config: { type: 'string', default: 'konflux.config.ts' },
    'dry-run': { type: 'boolean', default: false },
  });
  if (options === undefined) return EXIT.done;
  const path = resolve(options.config);
  const { chain, given: config } = await loadConfig(path);
  const remote = await readRemote(dirname(path));
  const images = Object.assign(
    {},
    ...(['component', 'repository'] as const).flatMap((field) =>
      options[field].map((text) => imageField(text, field, config.images)),
    ),
  );
  const given: Answers = { ...pick(options), ...images };
  let wanted: Answers;
  if (Object.keys(given).length > 0) wanted = { 'git.url': remote, ...given };
  else if (process.stdin.isTTY === true && process.stdout.isTTY === true) {
    const answers = await ask(config, remote);
    if (answers === undefined) return INTERRUPTED;
    wanted = answers;
  } else {
    refuseSilence(findPlaceholders(chain), remote);
    wanted = { 'git.url': remote };
  }
  const changes = Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [field, value] of changes) refuse(field, value, problemWith(config, wanted, field));
  const source = readFileSync(path, 'utf8');
  const edited = editConfig(source, Object.fromEntries(changes));
  if (edited === source) print('konflux.config.ts has these values already');
  else print(unifiedDiff('konflux.config.ts', source, edited));
  const trial = join(dirname(path), `.konflux.config.${process.pid}.ts`);
  try {
    // From a file beside the config, so that a value that is wrong leaves the config as it was.
    writeFileSync(trial, edited);
    const loaded = await loadConfig(trial);
    if (options['dry-run']) return await runRender(['--config', trial, '--diff']);
    if (edited !== source) writeFiles([{ path, text: edited }]);
    const left = findPlaceholders(loaded.chain).map(({ field }) => field);
    if (left.length > 0) print(`still placeholders: ${left.join(', ')} (pnpm run doctor says what else is missing)`);
  } catch (error) {
    if (!(error instanceof ManifestsError)) throw error;
    const message = error.message.replaceAll(trial, `${basename(path)} with these values`);
    const { code, expected, found } = error;
    throw new ManifestsError(code, message, { expected, found, hint: 'nothing was written', cause: error });
  } finally {
    rmSync(trial, { force: true });
  }
  return runRender(['--config', path]);
}

function pick(options: Readonly<Record<string, unknown>>): Answers {
  return Object.fromEntries(
    Object.entries(FIELDS).flatMap(([field, { option }]) => {
      const value = options[option];
      return typeof value === 'string' ? [[field as Field, value]] : [];
    }),
  );
}

/** `primary=operator` as the field of the image that has this role. */
function imageField(text: string, field: string, images: readonly { role: string }[]): Answers {
  const [role = '', value] = text.split(/=(.*)/s);
  const at = images.findIndex((image) => image.role === role);
  if (at >= 0 && value) return { [`images.${at}.${field}`]: value };
  throw new ManifestsError('USAGE', `--${field} names no image of the config`, {
    expected: images.map((image) => `--${field} ${image.role}=NAME`).join(' or '),
    found: text,
    hint: 'nothing was written',
  });
}

function refuse(field: string, value: string, problem: string | undefined): void {
  if (problem === undefined) return;
  throw new ManifestsError('CONFIG_INVALID', `${field}: expected ${problem}`, {
    found: JSON.stringify(value),
    hint: 'nothing was written',
  });
}

/** Without a terminal nobody can be asked: what only a person knows has to be given. */
function refuseSilence(left: readonly { field: string; value: string }[], remote: string | undefined): void {
  const missing = left.filter(({ field }) => field !== 'git.url' || remote === undefined);
  if (missing.length === 0) return;
  const options = missing.map(({ field }) => `--${FIELDS[field as Field].option} ${FIELDS[field as Field].word}`);
  const noRemote = missing.some(({ field }) => field === 'git.url')
    ? 'git has no remote origin with a URL of a server; '
    : '';
  throw new ManifestsError('USAGE', 'there is no terminal to ask on, and values are missing', {
    expected: `pnpm configure ${options.join(' ')}`,
    found: missing.map(({ field, value }) => `${field}: ${value}`).join(', '),
    hint: `${noRemote}nothing was written`,
  });
}
