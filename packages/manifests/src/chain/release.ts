import type { ChainPlan } from './plan.ts';

/** The integration service copies labels with this prefix from a build to its Snapshot, and from there to its tests. */
export const CHAIN_LABEL = 'custom.appstudio.openshift.io/chain';
/** With `"false"` the integration service makes no Release of a Snapshot. */
export const AUTO_RELEASE = 'release.appstudio.openshift.io/auto-release';

/** What a chain is called beside others of its application: as the component that builds it. */
export const chainName = ({ primary }: ChainPlan): string => primary.component ?? primary.role;

/** The service account that may create Snapshots of the chain, and what gives it that right. */
export const releaseAccount = (chain: ChainPlan): string => `release-${chainName(chain)}`;
