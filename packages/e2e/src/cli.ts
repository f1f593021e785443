#!/usr/bin/env node
import { start } from '@multi-image/kit/start';

await start('multi-image-e2e', () => import('./command-line.ts'), new URL('../package.json', import.meta.url));
