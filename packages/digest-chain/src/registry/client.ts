import { digestOf } from '../digest.ts';
import { allowanceFor, getBlob, headBlob, streamBlob } from './blobs.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { Referrers } from './referrers.ts';
import type { CallOptions, Registry, Repository, Upload } from './registry.ts';
import { type Call, Session } from './session.ts';
import { Uploads } from './uploads.ts';

export type { RegistryOptions } from './options.ts';

/**
 * A client for every registry that speaks the distribution spec: plain HTTP on loopback, HTTPS everywhere else, logged in
 * as docker and podman are where a registry asks for it. It keeps connections, tokens and what it learned of each
 * registry, so one client should serve all calls; no process is kept alive by it.
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const session = new Session(options);
  const uploads = new Uploads(options.singlePost);
  const referrers = new Referrers();
  return {
    getManifest: (repository, reference, own) => session.run(own, (call) => getManifest(call, repository, reference)),
    headManifest: (repository, reference, own) => session.run(own, (call) => headManifest(call, repository, reference)),
    async putManifest(repository, reference, manifest, own) {
      try {
        return await session.run(own, (call) => putManifest(call, repository, reference, manifest));
      } catch (error) {
        // It may be that a blob which was there is gone.
        uploads.forget();
        throw error;
      }
    },
    async getBlob(repository, descriptor, own) {
      const bytes = await session.run(own, (call) => getBlob(call, repository, descriptor, own?.limit));
      uploads.notePresent(repository, descriptor.digest);
      return bytes;
    },
    headBlob: (repository, digest, own) => session.run(own, (call) => headBlob(call, repository, digest)),
    readBlob(repository, descriptor, consume, own) {
      const read = (call: Call) => call.retry(() => streamBlob(call, repository, descriptor, consume));
      return session.run(own, read, allowanceFor(descriptor));
    },
    putBlob(repository, bytes, own) {
      return session.run(own, (call) => uploads.upload(call, repository, bytes, { digest: own?.digest }));
    },
    pushBlob(repository, descriptor, open, own) {
      const push = (call: Call) => uploads.push(call, repository, descriptor, open);
      return session.run(own, push, allowanceFor(descriptor));
    },
    startUpload: (repository, own) => startUpload(session, uploads, repository, own),
    copyBlob(descriptor, from, to, own) {
      return session.run(own, (call) => uploads.copy(call, descriptor, from, to), allowanceFor(descriptor));
    },
    listReferrers(repository, subject, own) {
      return session.run(own, (call) => referrers.list(call, repository, subject, own?.artifactType));
    },
    putReferrer: (repository, manifest, own) => session.run(own, (call) => referrers.put(call, repository, manifest)),
    close: () => session.close(),
  };
}

/**
 * Opens an upload before its bytes are known. A registry that takes blobs in a single POST needs none, so it is not asked.
 * What goes wrong is thrown by `finish`, which does it all again where that may help.
 */
function startUpload(session: Session, uploads: Uploads, repository: Repository, own: CallOptions | undefined): Upload {
  const opened =
    uploads.takesSinglePost(repository) === true
      ? undefined
      : session.run(own, (call) => uploads.open(call, repository));
  // Whoever never finishes it must not hear of it as an unhandled rejection.
  opened?.catch(() => undefined);
  return {
    finish(bytes, digest) {
      if (uploads.isPresent(repository, digest ?? digestOf(bytes))) void cancel();
      return session.run(own, (call) => uploads.upload(call, repository, bytes, { opened, digest }));
    },
    cancel,
  };

  async function cancel(): Promise<void> {
    const location = await opened?.catch(() => undefined);
    if (location === undefined) return;
    await session.run(own, (call) => uploads.cancel(call, repository, location)).catch(() => undefined);
  }
}
