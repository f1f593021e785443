import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseReference, repositoryName, requireDigest, requireTag } from '../registry/reference.ts';
import { OCI_MANIFEST, putBlob, putManifest, sha256 } from '../registry/registry-io.ts';
import type { StandIn } from '../stand-in.ts';
import { findContainerfile } from './containerfile.ts';
import { strings, text } from './param.ts';
import { useTrustedArtifact } from './trusted-artifact.ts';

const EMPTY_CONFIG = new TextEncoder().encode('{}');

/** `push-dockerfile-oci-ta`: stores the Containerfile beside its image, under the tag `sha256-<digest>.dockerfile`. */
export const pushDockerfileOciTa: StandIn = {
  task: 'push-dockerfile-oci-ta',
  params: {
    IMAGE: { type: 'string' },
    IMAGE_DIGEST: { type: 'string' },
    SOURCE_ARTIFACT: { type: 'string' },
    ...strings({
      ARTIFACT_TYPE: 'application/vnd.konflux.dockerfile',
      CA_TRUST_CONFIG_MAP_KEY: 'ca-bundle.crt',
      CA_TRUST_CONFIG_MAP_NAME: 'trusted-ca',
      CONTEXT: '.',
      DOCKERFILE: './Dockerfile',
      LOG_LEVEL: 'info',
      TAG_SUFFIX: '.dockerfile',
    }),
  },
  results: ['IMAGE_REF'],
  async run(context) {
    const { registry, repository } = parseReference(text(context, 'IMAGE'));
    const digest = requireDigest(text(context, 'IMAGE_DIGEST'), 'IMAGE_DIGEST');
    const tag = requireTag(`${digest.replace(':', '-')}${text(context, 'TAG_SUFFIX')}`);
    const source = join(context.workDir, 'source');
    await useTrustedArtifact(text(context, 'SOURCE_ARTIFACT'), source, context.signal);
    const { containerfile } = await findContainerfile(source, text(context, 'CONTEXT'), text(context, 'DOCKERFILE'));
    const bytes = await readFile(containerfile);
    const layer = {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: sha256(bytes),
      size: bytes.length,
      annotations: { 'org.opencontainers.image.title': basename(containerfile) },
    };
    const config = {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: sha256(EMPTY_CONFIG),
      size: EMPTY_CONFIG.length,
    };
    const target = { registry, repository, tag };
    await Promise.all([
      putBlob(target, { bytes: EMPTY_CONFIG }, config.digest, context.signal),
      putBlob(target, { bytes }, layer.digest, context.signal),
    ]);
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: text(context, 'ARTIFACT_TYPE'),
      config,
      layers: [layer],
    };
    const pushed = await putManifest(
      target,
      { bytes: new TextEncoder().encode(JSON.stringify(manifest)), mediaType: OCI_MANIFEST },
      context.signal,
    );
    const reference = `${repositoryName(target)}@${pushed}`;
    context.log(`Stored ${text(context, 'DOCKERFILE')} as ${reference}`);
    return { IMAGE_REF: reference };
  },
};
