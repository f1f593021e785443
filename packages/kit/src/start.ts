import { readFileSync } from 'node:fs';
import module from 'node:module';
import { cacheFolder } from './cache-folder.ts';

/**
 * Starts a command, with its compiled code from a cache: that halves the time to start or more. Nothing that is newer
 * than this may be loaded before, so that an older Node.js says why it can't go on in place of stopping at a new word.
 *
 * @param program The command's name; its cache is in a folder of this name.
 * @param load Loads the command itself.
 * @param manifest The package.json of the program, whose version `--version` prints, after a verb or without one.
 */
export async function start(
  program: string,
  load: () => Promise<{ main(): Promise<void> }>,
  manifest: URL,
): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 22) {
    process.stderr.write(`error NODE_TOO_OLD: ${program} needs Node.js 22 or newer, and this is ${process.version}\n`);
    process.exitCode = 2;
    return;
  }
  if (process.argv.slice(2, 4).includes('--version')) {
    process.stdout.write(`${program} ${JSON.parse(readFileSync(manifest, 'utf8')).version}\n`);
    return;
  }
  // Not in the temporary folder, where nothing is to stay.
  module.enableCompileCache(cacheFolder(program, 'compiled'));
  const command = await load();
  await command.main();
}
