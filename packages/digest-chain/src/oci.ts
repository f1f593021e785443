// Images and registries (OCI image-spec and distribution-spec), without anything of chains and seals.

export {
  type BlobDescriptor,
  type Descriptor,
  formatPlatform,
  type Platform,
  readDescriptor,
  requireDescriptor,
} from './descriptor.ts';
export { type Digest, digestAlgorithm, digestOf, isDigest, parseDigest } from './digest.ts';
export {
  DigestChainError,
  type ErrorCode,
  type ErrorDetails,
  type HttpFacts,
  type Operation,
  type Side,
} from './errors.ts';
export { type Glob, globOf } from './files/glob.ts';
export { readTar, type TarEntry, type TarReader } from './files/tar.ts';
export { type ImageFacts, readImageFacts } from './image-facts.ts';
export { decodeJson } from './json/decode.ts';
export { DEFAULT_PREFIX, isRole, LabelNames } from './label-names.ts';
export {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DSSE_ENVELOPE,
  EMPTY,
  EMPTY_MEDIA_TYPE,
  IN_TOTO,
  isIndex,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING,
} from './media-types.ts';
export { type PlatformImage, type ReadImage, readImage } from './read-image.ts';
export {
  attachmentTag,
  type DigestReference,
  formatReference,
  isSameRepository,
  isTag,
  nameOf,
  parseDigestReference,
  parseReference,
  parseTagReference,
  placeOf,
  type Reference,
  repositoryName,
  type TagReference,
} from './reference.ts';
export { createRegistry, type RegistryOptions } from './registry/client.ts';
export type { Credentials } from './registry/credentials/credentials.ts';
export { isLoopback } from './registry/reach.ts';
export type {
  CallOptions,
  RawManifest,
  Referrer,
  Registry,
  Repository,
  Upload,
} from './registry/registry.ts';
export { withSignal } from './registry/with-call-options.ts';
export type { Image } from './seal/manifest.ts';
export { preAuthenticationEncoding } from './signature/pre-authentication.ts';
