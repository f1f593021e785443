import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/load.ts';
import { ManifestsError } from '../errors.ts';
import { findDrift, readIfThere } from '../files/drift.ts';
import { render } from '../render/render.ts';
import { escapeTerminal } from './terminal.ts';

const HELP = `Usage: multi-image-manifests render [options]

Writes what konflux.config.ts says into .tekton/, pipeline/ and konflux/, beside it.

  --config FILE   the config (default: konflux.config.ts)
  --out FOLDER    write below this folder instead
  --check         write nothing; exit 1 where a file is not what would be written
  --help          this text
`;

export async function runRender(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { chain, pins, base, folder } = await loadConfig(options.config);
  const files = render(chain, pins, folder);
  const target = options.out === undefined ? base : resolve(options.out);
  if (options.check) {
    const drifts = findDrift(files, target);
    for (const { path, line, expected, found } of drifts) {
      process.stderr.write(
        escapeTerminal(
          `${path}:${line}: differs from konflux.config.ts\n  expected: ${expected}\n  found:    ${found}\n`,
        ),
      );
    }
    if (drifts.length > 0) {
      throw new ManifestsError(
        'DRIFT',
        `${drifts.length} of ${files.length} rendered files are not as konflux.config.ts says`,
        {
          hint: 'pnpm render',
        },
      );
    }
    process.stdout.write(`${files.length} rendered files are as konflux.config.ts says\n`);
    return 0;
  }
  let written = 0;
  for (const { path, text } of files) {
    const file = join(target, path);
    if (readIfThere(file) === text) continue;
    write(file, text);
    written += 1;
    process.stdout.write(`${escapeTerminal(path)}\n`);
  }
  process.stdout.write(`${written} of ${files.length} files written\n`);
  return 0;
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new ManifestsError('TARGET_NOT_WRITABLE', `${file} can't be written`, {
      expected: 'a file that may be written',
      found: (cause as NodeJS.ErrnoException).code ?? String(cause),
      cause,
    });
  }
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: 'konflux.config.ts' },
        out: { type: 'string' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (cause) {
    throw new ManifestsError('USAGE', (cause as Error).message, { hint: 'render --help shows the options', cause });
  }
}
