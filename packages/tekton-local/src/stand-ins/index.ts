import type { StandIn, StepStandIn } from '../stand-in.ts';
import { applyTags } from './apply-tags.ts';
import { buildImageIndex } from './build-image-index.ts';
import { buildTrustedArtifacts } from './build-trusted-artifacts.ts';
import { buildahOciTa } from './buildah-oci-ta.ts';
import { buildahRemoteOciTa } from './buildah-remote-oci-ta.ts';
import { gitCloneOciTa } from './git-clone-oci-ta.ts';
import { init } from './init.ts';
import { prefetchDependenciesOciTa } from './prefetch-dependencies-oci-ta.ts';
import { pushDockerfileOciTa } from './push-dockerfile-oci-ta.ts';
import { scans } from './scan.ts';

/** The catalog tasks that can run on this machine. */
export const standIns: readonly StandIn[] = [
  init,
  gitCloneOciTa,
  prefetchDependenciesOciTa,
  buildahOciTa,
  buildahRemoteOciTa,
  buildImageIndex,
  ...scans,
  applyTags,
  pushDockerfileOciTa,
];

/** The step images that are not run as containers, since they need what only a cluster has. */
export const stepStandIns: readonly StepStandIn[] = [buildTrustedArtifacts];
