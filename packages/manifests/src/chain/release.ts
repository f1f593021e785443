import type { ChainPlan } from './plan.ts';

/** What a chain is called beside others of its application: as the component that builds it. */
export const chainName = ({ primary }: ChainPlan): string => primary.component ?? primary.role;

/** The service account that may create Snapshots of the chain, and what gives it that right. */
export const releaseAccount = (chain: ChainPlan): string => `release-${chainName(chain)}`;
