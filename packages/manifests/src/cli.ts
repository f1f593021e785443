#!/usr/bin/env node
import { start } from '@multi-image/kit/start';

await start('multi-image-manifests', () => import('./cli/main.ts'), new URL('../package.json', import.meta.url));
