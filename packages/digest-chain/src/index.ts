export type { Check, CheckId } from './check.ts';
export { type Digest, digestOf, isDigest, parseDigest } from './digest.ts';
export { DigestChainError, type ErrorCode, type ErrorDetails } from './errors.ts';
export { assertVerified, type ExtractOptions, type ExtractResult, extract } from './extract.ts';
export {
  type DigestReference,
  formatReference,
  parseDigestReference,
  parseReference,
  parseTagReference,
  type Reference,
  type TagReference,
} from './reference.ts';
export { createRegistry } from './registry/client.ts';
export type { BlobDescriptor, RawManifest, Registry, Repository } from './registry/registry.ts';
export { type Seal, sealConfig, unsealConfig } from './seal/config.ts';
export type { Image } from './seal/image.ts';
export { DEFAULT_PREFIX, type Link } from './seal/labels.ts';
export { type ImageTree, type SealedTree, sealTree, unsealTree } from './seal/tree.ts';
export { type LinkedImage, type SealOptions, type SealResult, seal } from './seal.ts';
export { type UnsealResult, unseal } from './unseal.ts';
export { type Verification, type VerifyOptions, verify } from './verify.ts';
