import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChainConfig } from '../config/schema.ts';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));

/** A repository of its own in a temporary folder, with a config and the Containerfiles that it names. */
export class Workspace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'manifests-'));

  /** Writes `konflux.config.ts`, with its own copy of the pins, and the Containerfiles. */
  configure(config: ChainConfig): void {
    this.write(
      'konflux.config.ts',
      `export default ${JSON.stringify({ ...config, pins: 'pins.yaml' }, undefined, 2)};\n`,
    );
    cpSync(join(PACKAGE, 'pins.yaml'), this.path('pins.yaml'));
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
