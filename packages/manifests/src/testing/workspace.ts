import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChainConfig } from '../config/schema.ts';
import { BUILT_IN_PINS } from '../pins.ts';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** The names that are pinned, each by a tag and a digest that no bot has ever moved. */
const PINS = readFileSync(BUILT_IN_PINS, 'utf8').replace(/:[^:\s]+@sha256:[0-9a-f]{64}$/gm, () => {
  return `:0.4.3@sha256:${'5f68'.repeat(16)}`;
});

/** A repository of its own in a temporary folder, with a config and the Containerfiles that it names. */
export class Workspace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'manifests-'));

  /** Writes `konflux.config.ts`, with its own copy of the pins, and the Containerfiles. */
  configure(config: ChainConfig): void {
    this.write(
      'konflux.config.ts',
      `export default ${JSON.stringify({ ...config, pins: 'pins.yaml' }, undefined, 2)};\n`,
    );
    this.write('pins.yaml', PINS);
    for (const { containerfile } of config.images) this.write(containerfile, 'FROM scratch\n');
  }

  /** Makes `import … from '@multi-image/manifests'` work, as it does where the package is installed. */
  install(): void {
    mkdirSync(this.path('node_modules/@multi-image'), { recursive: true });
    symlinkSync(PACKAGE, this.path('node_modules/@multi-image/manifests'));
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
