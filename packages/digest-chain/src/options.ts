// What a command that proves chains is told, as `util.parseArgs` takes it. Whoever prints its help has to load no more.

import type { parseArgs } from 'node:util';

/** Who may have signed; the names are cosign's. {@link readSigners} of the main entry reads them. */
export const SIGNER_OPTIONS = {
  key: { type: 'string', multiple: true },
  'certificate-identity': { type: 'string' },
  'certificate-identity-regexp': { type: 'string' },
  'certificate-oidc-issuer': { type: 'string' },
  'certificate-oidc-issuer-regexp': { type: 'string' },
  'trusted-root': { type: 'string' },
  'tuf-mirror': { type: 'string' },
  'tuf-root': { type: 'string' },
} as const;

/** What is demanded of the run that built a chain; {@link readDemands} of the main entry reads them and those above. */
export const RUN_OPTIONS = {
  revision: { type: 'string' },
  source: { type: 'string' },
  branch: { type: 'string' },
  'builder-id': { type: 'string', multiple: true },
  'builder-task': { type: 'string', multiple: true },
  'allow-pull-request': { type: 'boolean' },
} as const;

/** What they were given. */
export type DemandValues = Partial<
  ReturnType<typeof parseArgs<{ options: typeof SIGNER_OPTIONS & typeof RUN_OPTIONS }>>['values']
>;
