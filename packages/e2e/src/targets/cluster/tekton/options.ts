import type { parseArgs } from 'node:util';
import type { TenantValues } from '../tenant/options.ts';

/** The options of a run on any cluster with Tekton, beside those that it shares with a tenant run; for `util.parseArgs`. */
export const TEKTON_OPTIONS = {
  registry: { type: 'string' },
  'git-url': { type: 'string' },
  namespace: { type: 'string' },
  'service-account': { type: 'string', default: 'default' },
  'git-secret': { type: 'string' },
  'stand-ins': { type: 'boolean', default: false },
  'plain-http': { type: 'boolean', default: false },
  'registry-here': { type: 'string' },
} as const;

export type TektonValues = ReturnType<typeof parseArgs<{ options: typeof TEKTON_OPTIONS }>>['values'] & TenantValues;

export const TEKTON_HELP = `On any cluster with Tekton, without Konflux (--target tekton; docs/tekton-run.md). Besides --kubeconfig, --context,
--dry-run (prints the PipelineRuns), --resume, --timeout, --cleanup and --key as on a tenant:
  --registry PREFIX
                 where images go, such as ghcr.io/me or ttl.sh/some-word (default: the config's)
  --git-url URL  where the cluster fetches the source (default: the config's, or the remote origin)
  --commit SHA   what to build (default: HEAD, which has to be pushed)
  --namespace NAME, --service-account NAME, --git-secret NAME
                 where the runs are made, as whom, and with which credentials for git
                 (default: the context's namespace, its account 'default', none)
  --stand-ins    run small stand-ins in place of Konflux' catalog tasks: no bundles, no scans
  --plain-http   the registry has no TLS; only with --stand-ins
  --registry-here HOST[:PORT]
                 how this machine reaches the registry that the cluster calls otherwise
`;
