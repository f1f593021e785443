import { parseReference, repositoryName } from '@multi-image/digest-chain/oci';
import type { ExternalConfig } from '../config/schema.ts';
import { argumentPrefix } from './names.ts';

/** An image that another pipeline built, and that images of this chain embed. */
export interface PlannedExternal {
  /** Its part in the chain. */
  readonly role: string;
  /** What a run resolves: `repository:tag`, or `repository@digest`. */
  readonly image: string;
  /** Without tag and digest. */
  readonly repository: string;
  /** The component of the application that hands it to Konflux; undefined where none does. */
  readonly component: string | undefined;
  readonly releaseRepository: string | undefined;
  /** `DAEMON`: the build arguments about it are `DAEMON_DIGEST` and `DAEMON_URL`. */
  readonly argumentPrefix: string;
}

export function planExternal(role: string, { image, component, releaseRepository }: ExternalConfig): PlannedExternal {
  const reference = parseReference(image);
  const repository = repositoryName(reference);
  // Beside a digest a tag is for people: it may move, and the digest is what was asked for.
  const name = reference.digest === undefined ? `:${reference.tag}` : `@${reference.digest}`;
  return {
    role,
    image: `${repository}${name}`,
    repository,
    component,
    releaseRepository,
    argumentPrefix: argumentPrefix(role),
  };
}
