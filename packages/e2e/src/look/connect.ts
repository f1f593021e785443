import { createRegistry, type Registry } from '@multi-image/digest-chain';
import { E2eError } from '../errors.ts';
import { reachElsewhere } from './reach-elsewhere.ts';

export interface ConnectOptions {
  /** The registry's host as references name it. */
  from: string | undefined;
  /** Its host as this machine reaches it; the same by default. */
  to: string | undefined;
  plainHttp: boolean;
  signal: AbortSignal;
}

/** A client for registries as the command line says that they are reached. Throws `USAGE`. */
export function connect({ from, to, plainHttp, signal }: ConnectOptions): {
  registry: Registry;
  elsewhere: { from: string; to: string } | undefined;
} {
  const registry = createRegistry({ signal, ...(plainHttp ? { plainHttp } : {}) });
  if (to === undefined) return { registry, elsewhere: undefined };
  if (from === undefined || !/^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(to)) {
    throw new E2eError('USAGE', '--registry-here is another name for the registry', {
      expected: '--registry registry.svc:5000/path --registry-here localhost:5001',
      found: from === undefined ? 'no --registry' : to,
    });
  }
  return { registry: reachElsewhere(registry, from, to), elsewhere: { from, to } };
}
