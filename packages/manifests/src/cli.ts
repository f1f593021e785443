#!/usr/bin/env node
import { runCommandLine } from '@multi-image/kit/command-line';
import { isRefusal, main } from './cli/main.ts';

await runCommandLine(main, { isRefusal });
