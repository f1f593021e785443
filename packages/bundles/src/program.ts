import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** digest-chain's command as one file, and what it reads its version from. */
export interface Program {
  readonly code: string;
  readonly manifest: string;
}

/**
 * Bundles digest-chain into one file, dependencies and all. The same source in another folder gives the same text: what
 * is written of paths is relative to the root.
 */
export async function bundleProgram(root: string): Promise<Program> {
  const build = await rolldown({
    cwd: root,
    input: join(root, 'packages/digest-chain/src/cli.ts'),
    platform: 'node',
    treeshake: true,
    logLevel: 'silent',
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      codeSplitting: false,
      minify: { mangle: false, compress: true },
    });
    const [{ code, imports, dynamicImports }] = output;
    const outside = [...imports, ...dynamicImports].filter((name) => !isBuiltin(name));
    if (output.length !== 1 || outside.length > 0) {
      throw new RangeError(`digest-chain does not fit into one file: ${outside.join(', ')}`);
    }
    const { name, version } = JSON.parse(await readFile(join(root, 'packages/digest-chain/package.json'), 'utf8'));
    return { code, manifest: JSON.stringify({ name, version, type: 'module' }) };
  } finally {
    await build.close();
  }
}
