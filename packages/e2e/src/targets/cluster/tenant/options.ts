import type { parseArgs } from 'node:util';

/** The options of a tenant run, as `util.parseArgs` takes them. */
export const TENANT_OPTIONS = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  commit: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  state: { type: 'string' },
  cleanup: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  timeout: { type: 'string', multiple: true },
} as const;

/** What a command line says of a tenant run, with the options that every target has. */
export type TenantValues = ReturnType<typeof parseArgs<{ options: typeof TENANT_OPTIONS }>>['values'] & {
  config: string;
  key?: string[] | undefined;
};

export const TENANT_HELP = `On a Konflux tenant (--target tenant; docs/tenant-run.md):
  --kubeconfig FILE, --context NAME
                 which cluster and login; as kubectl by default, or the pod's own
  --dry-run      only say what would be applied; with --cleanup: deleted
  --commit SHA   follow the runs of a push; applies and starts nothing
  --resume       take up the last run where it was left (state in --state FILE)
  --timeout WAIT=TIME
                 how long a wait may take: configured, started, runs, signed, snapshot, tests;
                 as in runs=4h; without a name for all of them; can be repeated
  --cleanup      delete what tenant runs made in the namespace, and nothing else; asks (--yes: doesn't)
`;
