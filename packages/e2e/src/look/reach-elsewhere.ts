import type { Registry } from '@multi-image/digest-chain';

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
