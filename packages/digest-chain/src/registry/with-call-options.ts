import type { CallOptions, Registry, Repository } from './registry.ts';

/** The same client, of which every call on a repository also has these options; a signal beside the call's own. */
export function withCallOptions(registry: Registry, optionsFor: (repository: Repository) => CallOptions): Registry {
  const also = <T extends CallOptions>(repository: Repository, call?: T): T & CallOptions => {
    const { signal, ...options } = optionsFor(repository);
    const signals = [call?.signal, signal].filter((given) => given !== undefined);
    return { ...(call as T), ...options, signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0] };
  };
  return {
    getManifest: (repository, reference, call) => registry.getManifest(repository, reference, also(repository, call)),
    headManifest: (repository, reference, call) => registry.headManifest(repository, reference, also(repository, call)),
    putManifest: (repository, reference, manifest, call) =>
      registry.putManifest(repository, reference, manifest, also(repository, call)),
    getBlob: (repository, descriptor, call) => registry.getBlob(repository, descriptor, also(repository, call)),
    headBlob: (repository, digest, call) => registry.headBlob(repository, digest, also(repository, call)),
    readBlob: (repository, descriptor, consume, call) =>
      registry.readBlob(repository, descriptor, consume, also(repository, call)),
    putBlob: (repository, bytes, call) => registry.putBlob(repository, bytes, also(repository, call)),
    pushBlob: (repository, descriptor, open, call) =>
      registry.pushBlob(repository, descriptor, open, also(repository, call)),
    startUpload: (repository, call) => registry.startUpload(repository, also(repository, call)),
    copyBlob: (descriptor, from, to, call) => registry.copyBlob(descriptor, from, to, also(to, call)),
    listReferrers: (repository, subject, call) => registry.listReferrers(repository, subject, also(repository, call)),
    putReferrer: (repository, manifest, call) => registry.putReferrer(repository, manifest, also(repository, call)),
    close: () => registry.close(),
  };
}

/** The same client, of which every call also ends with this signal (`ABORTED`). */
export function withSignal(registry: Registry, signal: AbortSignal | undefined): Registry {
  return signal === undefined ? registry : withCallOptions(registry, () => ({ signal }));
}
