import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '@multi-image/kit/commands';
import { CodedError } from '@multi-image/kit/errors';

/** What can be imported: `packages/<name>/dist/<entry>.d.ts`. */
const ENTRIES = [
  'digest-chain/index',
  'digest-chain/oci',
  'digest-chain/options',
  'manifests/index',
  'tekton-local/index',
];

/**
 * Writes what the packages export into `packages/<name>/api/<entry>.api.md`, by api-extractor and from what was built; so a
 * pull request shows what it changes for those who import it.
 *
 * @param bin Where api-extractor is installed
 * @param mode `check` writes nothing, and fails where a report is not as committed
 */
export async function writeApiReports(root: string, bin: string, mode: 'write' | 'check'): Promise<void> {
  const reports = await Promise.all(
    ENTRIES.map(async (entry) => {
      const [name = '', file = ''] = entry.split('/');
      const path = join('packages', name, 'api', `${file}.api.md`);
      return { path, text: await extract(join(root, 'packages', name), file, bin) };
    }),
  );
  if (mode === 'write') {
    for (const { path, text } of reports) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return;
  }
  const stale = reports.filter(({ path, text }) => readIfThere(join(root, path)) !== text).map(({ path }) => path);
  if (stale.length === 0) return;
  throw new CodedError('FAILED', `what the packages export is not what their reports say: ${stale.join(', ')}`, {
    hint: 'pnpm api writes them; what its diff takes away breaks those who import it, and belongs into a changeset',
  });
}

/** As published: in this repository their exports lead to sources. */
function builtTypes(folder: string): Record<string, string[]> {
  const packages = dirname(folder);
  return Object.fromEntries(
    ENTRIES.map((entry) => {
      const [name = '', file = ''] = entry.split('/');
      const specifier = `@multi-image/${name}${file === 'index' ? '' : `/${file}`}`;
      return [specifier, [join(packages, name, 'dist', `${file}.d.ts`)]];
    }),
  );
}

async function extract(folder: string, entry: string, bin: string): Promise<string> {
  const work = mkdtempSync(join(folder, 'dist/api-'));
  try {
    const config = {
      projectFolder: folder,
      mainEntryPointFilePath: `<projectFolder>/dist/${entry}.d.ts`,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: 'nodenext',
            target: 'es2024',
            lib: ['es2024'],
            types: ['node'],
            skipLibCheck: true,
            paths: builtTypes(folder),
          },
          files: [`dist/${entry}.d.ts`],
        },
      },
      apiReport: { enabled: true, reportFileName: 'report.api.md', reportFolder: work, reportTempFolder: work },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: Object.fromEntries(
        ['compiler', 'extractor', 'tsdoc'].map((kind) => [
          `${kind}MessageReporting`,
          { default: { logLevel: 'none' } },
        ]),
      ),
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    const args = [join(bin, 'api-extractor'), 'run', '--local', '--config', join(work, 'config.json')];
    const { exitCode, stdout, stderr } = await run(process.execPath, args, { cwd: folder });
    if (exitCode !== 0) throw new CodedError('FAILED', `api-extractor: ${stdout}${stderr}`);
    return readFileSync(join(work, 'report.api.md'), 'utf8');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
