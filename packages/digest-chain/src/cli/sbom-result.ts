import { sbomBlobUrl } from '../carry/find-attachments.ts';
import type { Digest } from '../digest.ts';
import { parseReference } from '../reference.ts';
import type { Registry } from '../registry/registry.ts';
import { withSignal } from '../registry/with-call-options.ts';
import { type Values, writeOutput } from './arguments.ts';

/** The option by which a task gets its result `SBOM_BLOB_URL`. */
export const SBOM_RESULT = { 'result-sbom': { type: 'string' } } as const;

/** Writes where the SBOM of an image is; nothing where it has none, which leaves a task without that result. */
export async function writeSbomUrl(
  values: Values<typeof SBOM_RESULT>,
  registry: Registry,
  { url, digest }: { readonly url: string; readonly digest: Digest },
  signal: AbortSignal,
): Promise<void> {
  const file = values['result-sbom'];
  if (file === undefined) return;
  const found = await sbomBlobUrl(withSignal(registry, signal), parseReference(url), digest);
  if (found !== undefined) await writeOutput(file, found);
}
