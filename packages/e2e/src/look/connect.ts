import { createRegistry, type Registry } from '@multi-image/digest-chain/oci';
import type { Elsewhere } from '../elsewhere.ts';
import { E2eError } from '../errors.ts';

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
  elsewhere: Elsewhere | undefined;
} {
  const registry = createRegistry({ signal, plainHttp: plainHttp || undefined });
  if (to === undefined) return { registry, elsewhere: undefined };
  if (from === undefined || !/^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(to)) {
    throw new E2eError('USAGE', '--registry-here is another name for the registry', {
      expected: '--registry registry.svc:5000/path --registry-here localhost:5001',
      found: from === undefined ? 'no --registry' : to,
    });
  }
  return { registry: reachElsewhere(registry, from, to), elsewhere: { from, to } };
}

/**
 * A client for which one registry answers under another address: what a cluster calls `registry.svc:5000` may be
 * `localhost:5001` here. References keep the name that the cluster gave them.
 *
 * @param from host or host:port in references
 * @param to where requests for it go
 */
export function reachElsewhere(registry: Registry, from: string, to: string): Registry {
  return new Proxy(registry, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) =>
        value.apply(
          target,
          args.map((arg) => (isAt(arg, from) ? { ...arg, registry: to } : arg)),
        );
    },
  });
}

function isAt(value: unknown, registry: string): value is { registry: string } {
  return typeof value === 'object' && value !== null && 'registry' in value && value.registry === registry;
}
