import type { CallOptions, Registry } from './registry.ts';

/** The same client, of which every call also ends with this signal (`ABORTED`). */
export function withSignal(registry: Registry, signal: AbortSignal | undefined): Registry {
  if (signal === undefined) return registry;
  const also = <T extends CallOptions>(call?: T): T & CallOptions => ({
    ...(call as T),
    signal: call?.signal === undefined ? signal : AbortSignal.any([call.signal, signal]),
  });
  return {
    getManifest: (repository, reference, call) => registry.getManifest(repository, reference, also(call)),
    headManifest: (repository, reference, call) => registry.headManifest(repository, reference, also(call)),
    putManifest: (repository, reference, manifest, call) =>
      registry.putManifest(repository, reference, manifest, also(call)),
    getBlob: (repository, descriptor, call) => registry.getBlob(repository, descriptor, also(call)),
    headBlob: (repository, digest, call) => registry.headBlob(repository, digest, also(call)),
    readBlob: (repository, descriptor, consume, call) => registry.readBlob(repository, descriptor, consume, also(call)),
    putBlob: (repository, bytes, call) => registry.putBlob(repository, bytes, also(call)),
    pushBlob: (repository, descriptor, open, call) => registry.pushBlob(repository, descriptor, open, also(call)),
    startUpload: (repository, call) => registry.startUpload(repository, also(call)),
    copyBlob: (descriptor, from, to, call) => registry.copyBlob(descriptor, from, to, also(call)),
    listReferrers: (repository, subject, call) => registry.listReferrers(repository, subject, also(call)),
    putReferrer: (repository, manifest, call) => registry.putReferrer(repository, manifest, also(call)),
    close: () => registry.close(),
  };
}
