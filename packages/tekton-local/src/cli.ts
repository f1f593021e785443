#!/usr/bin/env node
import { start } from '@multi-image/kit/start';

await start('tekton-local', () => import('./command-line.ts'), new URL('../package.json', import.meta.url));
