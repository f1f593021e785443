#!/usr/bin/env node
import { runCommandLine } from '@multi-image/kit/command-line';
import { run } from './command.ts';

/** Of bad input nothing is done; the rest fails though it was asked for rightly. */
const REFUSED = /^(?:USAGE|NOT_A_COMMIT|BUNDLE_NOT_PINNED|REFERENCE_INVALID|CONFIG_|CONTAINERFILE_|PINS_)/;

await runCommandLine(run, { isRefusal: ({ code }) => REFUSED.test(code) });
