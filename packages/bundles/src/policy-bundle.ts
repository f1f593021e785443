import type { PolicyFile } from '@multi-image/policy';
import { type Artifact, artifactOf, type Source, sourceAnnotations } from './artifact.ts';

/** A policy as `conftest push` makes it, which Conforma pulls by `oci::`: a layer for each file, titled by its path. */
export function policyBundle(files: readonly PolicyFile[], source: Source): Artifact {
  const layers = files.map(({ path, bytes }) => ({
    mediaType: 'application/vnd.cncf.openpolicyagent.policy.layer.v1+rego',
    bytes,
    annotations: { 'org.opencontainers.image.title': path },
  }));
  const config = {
    mediaType: 'application/vnd.cncf.openpolicyagent.config.v1+json',
    bytes: Buffer.from('{}'),
  };
  return artifactOf(config, layers, sourceAnnotations(source));
}
