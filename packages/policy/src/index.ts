import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the policy. */
export interface PolicyFile {
  /** From the policy's folder, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const FOLDER = fileURLToPath(new URL('../rego', import.meta.url));

/** The policy as it is published, in the order of the paths. */
export function policyFiles(): readonly PolicyFile[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.rego'))
    .sort()
    .map((path) => ({ path, bytes: readFileSync(join(FOLDER, path)) }));
}
