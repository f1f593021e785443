import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { EXIT } from '@multi-image/kit/command-line';
import { printable } from '@multi-image/kit/terminal';
import { editConfig } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { readRemote } from '../config/remote.ts';
import { ManifestsError } from '../errors.ts';
import { unifiedDiff } from '../files/diff.ts';
import { writeFiles } from '../files/write.ts';
import { readOptions } from './options.ts';
import { runRender } from './render.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests configure [options]

Sets the values of a fork in konflux.config.ts and renders. Asks for them on a terminal where
none is given. Running it again with the same values changes nothing; it deletes nothing.

  --application NAME   the Konflux Application
  --namespace NAME     the tenant namespace
  --git-url URL        the git repository (default: the remote origin)
  --branch NAME        the branch that is built
  --registry PATH      where the images go: quay.io/my-org/my-tenant where Konflux makes the repositories
  --config FILE        the config (default: konflux.config.ts)
  --dry-run            write nothing; show what would change
  --help               this text

Examples:
  multi-image-manifests configure
  multi-image-manifests configure --namespace my-tenant --registry quay.io/my-org/my-tenant --dry-run
`;

/** Options and the fields that they set. */
const FIELDS = {
  application: 'application',
  namespace: 'namespace',
  'git-url': 'git.url',
  branch: 'git.branch',
  registry: 'registry',
} as const;
type Option = keyof typeof FIELDS;
const OPTIONS = Object.keys(FIELDS) as Option[];

export async function runConfigure(args: readonly string[]): Promise<number> {
  const options = readOptions({ name: 'configure', help }, args, {
    application: { type: 'string' },
    namespace: { type: 'string' },
    'git-url': { type: 'string' },
    branch: { type: 'string' },
    registry: { type: 'string' },
    config: { type: 'string', default: 'konflux.config.ts' },
    'dry-run': { type: 'boolean', default: false },
  });
  if (options === undefined) return EXIT.done;
  const path = resolve(options.config);
  const { chain } = await loadConfig(path);
  const { application, namespace, gitUrl, branch, registry } = chain;
  const current: Record<Option, string> = { application, namespace, 'git-url': gitUrl, branch, registry };
  const remote = await readRemote(dirname(path));
  const given = Object.fromEntries(
    OPTIONS.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
  );
  const interactive = Object.keys(given).length === 0 && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const wanted: Partial<Record<Option, string>> = interactive
    ? await ask({ ...current, 'git-url': remote ?? current['git-url'] })
    : { 'git-url': remote, ...given };

  const source = readFileSync(path, 'utf8');
  const changes = OPTIONS.flatMap((name) => {
    const value = wanted[name];
    return value === undefined || value === current[name] ? [] : [[FIELDS[name], value] as const];
  });
  const edited = editConfig(source, Object.fromEntries(changes));
  if (edited === source) {
    print('konflux.config.ts has these values already');
  } else {
    await checkEdited(path, edited);
    print(unifiedDiff('konflux.config.ts', source, edited));
    if (options['dry-run']) return EXIT.done;
    writeFiles([{ path, text: edited }]);
  }
  return options['dry-run'] ? EXIT.done : runRender(['--config', path]);
}

/** Loads the edited config from a file beside it, so that a value that is wrong leaves the config as it was. */
async function checkEdited(path: string, text: string): Promise<void> {
  const trial = join(dirname(path), `.konflux.config.${process.pid}.ts`);
  try {
    writeFileSync(trial, text);
    await loadConfig(trial);
  } catch (error) {
    if (!(error instanceof ManifestsError)) throw error;
    const message = error.message.replaceAll(trial, 'the config with these values');
    throw new ManifestsError(error.code, message, { hint: 'nothing was written', cause: error });
  } finally {
    rmSync(trial, { force: true });
  }
}

async function ask(defaults: Readonly<Record<Option, string>>): Promise<Partial<Record<Option, string>>> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Lines rather than questions: what is typed ahead of a question counts too.
  const lines = terminal[Symbol.asyncIterator]();
  try {
    const answers: Partial<Record<Option, string>> = {};
    for (const name of OPTIONS) {
      process.stdout.write(`${name} [${printable(defaults[name])}]: `);
      const { done, value } = await lines.next();
      if (done === true) {
        throw new ManifestsError('USAGE', `no answer for ${name}`, {
          hint: `give it as --${name}; nothing was written`,
        });
      }
      answers[name] = value.trim() || defaults[name];
    }
    return answers;
  } finally {
    terminal.close();
  }
}
