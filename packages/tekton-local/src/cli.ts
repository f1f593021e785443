#!/usr/bin/env node
import module from 'node:module';
import { cacheFolder } from './cache-folder.ts';

// Nothing newer than this may be loaded before: an older Node.js would stop at its first new word, and not say why.
if (Number(process.versions.node.split('.')[0]) < 22) {
  process.stderr.write(`error NODE_TOO_OLD: tekton-local needs Node.js 22 or newer, and this is ${process.version}\n`);
  process.exitCode = 2;
} else {
  // Before anything else is loaded: it halves the time to start. Not in the temporary folder, where nothing is to stay.
  module.enableCompileCache(cacheFolder('compiled'));
  const { main } = await import('./command-line.ts');
  await main();
}
