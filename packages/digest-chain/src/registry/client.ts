import { digestOf } from '../digest.ts';
import { allowanceFor, copyBlob, pushBlob, readBlob } from './blob-streams.ts';
import { getBlob, headBlob } from './blobs.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { Referrers } from './referrers.ts';
import type { CallOptions, Registry, Repository, Upload } from './registry.ts';
import { Session } from './session.ts';
import { Uploads } from './uploads.ts';

export type { RegistryOptions } from './options.ts';

/**
 * A client for every registry that speaks the distribution spec: plain HTTP on loopback, HTTPS everywhere else, logged in
 * as docker and podman are where a registry asks for it. It keeps connections, tokens and what it learned of each
 * registry, so one client should serve all calls; no process is kept alive by it.
 */
export function createRegistry(options: RegistryOptions = {}): Registry {
  const session = new Session(options);
  const uploads = new Uploads(session);
  const referrers = new Referrers(session);
  return {
    getManifest(repository, reference, call) {
      return session.run(call, (operation) => getManifest(session, operation, repository, reference));
    },

    headManifest(repository, reference, call) {
      return session.run(call, (operation) => headManifest(session, operation, repository, reference));
    },

    async putManifest(repository, reference, manifest, call) {
      try {
        return await session.run(call, (operation) => putManifest(session, operation, repository, reference, manifest));
      } catch (error) {
        // It may be that a blob which was there is gone.
        uploads.forget();
        throw error;
      }
    },

    async getBlob(repository, descriptor, call) {
      const bytes = await session.run(call, (operation) => {
        return getBlob(session, operation, repository, descriptor, call?.limit);
      });
      uploads.notePresent(repository, descriptor.digest);
      return bytes;
    },

    putBlob(repository, bytes, call) {
      return session.run(call, (operation) => uploads.upload(operation, repository, bytes, { digest: call?.digest }));
    },

    startUpload(repository, call) {
      return startUpload(session, uploads, repository, call);
    },

    headBlob(repository, digest, call) {
      return session.run(call, (operation) => headBlob(session, operation, repository, digest));
    },

    readBlob(repository, descriptor, consume, call) {
      return session.run(
        call,
        (operation) => readBlob(session, operation, repository, descriptor, consume),
        allowanceFor(descriptor),
      );
    },

    pushBlob(repository, descriptor, open, call) {
      return session.run(
        call,
        (operation) => pushBlob(session, uploads, operation, repository, descriptor, open),
        allowanceFor(descriptor),
      );
    },

    copyBlob(descriptor, from, to, call) {
      return session.run(
        call,
        (operation) => copyBlob(session, uploads, operation, descriptor, from, to),
        allowanceFor(descriptor),
      );
    },

    listReferrers(repository, subject, call) {
      return session.run(call, (operation) => referrers.list(operation, repository, subject, call?.artifactType));
    },

    putReferrer(repository, manifest, call) {
      return session.run(call, (operation) => referrers.put(operation, repository, manifest));
    },

    close() {
      session.close();
    },
  };
}

/**
 * Opens an upload before its bytes are known. A registry that takes blobs in a single POST needs none, so it is not asked.
 * What goes wrong is thrown by `finish`, which does it all again where that may help.
 */
function startUpload(
  session: Session,
  uploads: Uploads,
  repository: Repository,
  call: CallOptions | undefined,
): Upload {
  const opened =
    uploads.takesSinglePost(repository) === true
      ? undefined
      : session.run(call, (operation) => uploads.open(operation, repository));
  // Whoever never finishes it must not hear of it as an unhandled rejection.
  opened?.catch(() => undefined);
  return {
    finish(bytes, digest) {
      if (uploads.isPresent(repository, digest ?? digestOf(bytes))) void cancel();
      return session.run(call, (operation) => uploads.upload(operation, repository, bytes, { opened, digest }));
    },
    cancel,
  };

  async function cancel(): Promise<void> {
    const location = await opened?.catch(() => undefined);
    if (location === undefined) return;
    await session.run(call, (operation) => uploads.cancel(operation, repository, location)).catch(() => undefined);
  }
}
