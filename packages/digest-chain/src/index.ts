// The verbs of chains, and all of ./oci beside them.

export type { Carried, CarryResult } from './carry/carry.ts';
export type { Left } from './carry/find-attachments.ts';
export { ATTESTED, type Check, type CheckId } from './check.ts';
export { parsePlaces, readDemands } from './cli/demands.ts';
export { readIdentities } from './cli/identities.ts';
export { embeddedImages } from './embedding.ts';
export { assertVerified, type ExtractOptions, type ExtractResult, extract } from './extract.ts';
export type { NamingFiles } from './files/named-in-files.ts';
export { type InspectedImage, type InspectedLink, type Inspection, inspect } from './inspect/inspect.ts';
export { isAtLeast, type Judgement, judgeProof, LEVELS, type Level } from './level.ts';
export { type LinkOptions, type LinkResult, link } from './link.ts';
export type { LinkedImage } from './linked-image.ts';
export * from './oci.ts';
export type { DemandValues } from './options.ts';
export { type ExternalImage, type ResolvedImage, resolve } from './resolve.ts';
export { type Link, type Seal, sealConfig, unsealConfig } from './seal/config.ts';
export { type ImageTree, type SealedTree, sealTree, unsealTree } from './seal/tree.ts';
export { type SealOptions, type SealResult, type StatementOptions, seal } from './seal.ts';
export { readKeys } from './signature/key-files.ts';
export type { CertificateIdentity } from './signature/keyless.ts';
export {
  fetchTrustedRoot,
  parseTrustedRoot,
  type TrustedRoot,
  type TufRepository,
} from './signature/keyless-root.ts';
export { parsePublicKeys, type VerificationKey } from './signature/keys.ts';
export { type Snapshot, type SnapshotComponent, type SnapshotOptions, snapshotOf } from './snapshot/document.ts';
export { type CommitHistory, parseHistory } from './snapshot/history.ts';
export { type JudgeOptions, judgeSnapshot, type TestedSnapshot } from './snapshot/judge.ts';
export { KubernetesApi, type PodAccess } from './snapshot/kubernetes.ts';
export type { ProveOptions } from './snapshot/prove.ts';
export type { Components } from './snapshot/read.ts';
export { type Release, type ReleaseOptions, releaseChain } from './snapshot/release.ts';
export type { TestOutput } from './snapshot/test-output.ts';
export { attachStatement, type StatementSubject } from './statement/artifact.ts';
export type { Chain, ChainImage, Embeds, Source } from './statement/chain.ts';
export { type Discovery, discoverStatements, type FoundStatement } from './statement/discover.ts';
export { formatStatement, PREDICATE_TYPE, parseStatement } from './statement/statement.ts';
export { type UnsealResult, unseal } from './unseal.ts';
export { type Verification, type VerifyOptions, verify, wantedLevel } from './verify.ts';
