import { createRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/registry.ts';

/** The registry client that the options of a verb ask for. */
export function connect(values: {
  readonly 'plain-http'?: boolean | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly 'auth-file'?: string | undefined;
}): Registry {
  const { 'plain-http': plainHttp, 'ca-file': caFile, 'auth-file': authFile } = values;
  return createRegistry({ plainHttp, caFile, authFile });
}
