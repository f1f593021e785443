#!/usr/bin/env node
import { command } from './cli/command.ts';

const args = process.argv.slice(2);
if (args.slice(0, 2).includes('--version')) await printVersion();
else await command(args);

async function printVersion(): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  // Of the package, from here as from what this is compiled to.
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`digest-chain ${version}\n`);
}
