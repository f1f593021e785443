// `pnpm api`: builds the packages and writes the reports of what they export.
import { join, resolve } from 'node:path';
import { EXIT, runCommandLine } from '@multi-image/kit/command-line';
import { runOrThrow } from '@multi-image/kit/commands';
import { writeApiReports } from './api-report.ts';
import { installTools } from './release-npm.ts';

const root = resolve(import.meta.dirname, '..');

await runCommandLine(
  async () => {
    await runOrThrow('pnpm', ['run', 'build'], { cwd: root });
    await writeApiReports(root, await installTools(join(root, 'node_modules/.cache/release-tools')), 'write');
    return EXIT.done;
  },
  { isRefusal: () => false },
);
