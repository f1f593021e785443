import type { parseArgs } from 'node:util';
import { RUN_OPTIONS, SIGNER_OPTIONS } from '@multi-image/digest-chain/options';

/**
 * What is around a build on this machine: a sandbox of namespaces (docs/tekton-local.md says what it contains), or
 * buildah's own change of root alone, in which a Containerfile's RUN has this user's rights.
 */
export type Isolation = 'sandbox' | 'chroot';

export const ISOLATIONS: readonly Isolation[] = ['sandbox', 'chroot'];

/** All options of the command, as `util.parseArgs` takes them; cli-help.ts says what each is for. */
export const OPTIONS = {
  config: { type: 'string', default: 'konflux.config.ts' },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
  html: { type: 'string' },
  junit: { type: 'string' },
  open: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  'allow-drift': { type: 'boolean', default: false },
  port: { type: 'string' },
  isolation: { type: 'string' },
  external: { type: 'string', multiple: true },
  'no-install': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  target: { type: 'string', default: 'local' },
  // of published images
  ...SIGNER_OPTIONS,
  ...RUN_OPTIONS,
  prefix: { type: 'string' },
  at: { type: 'string', multiple: true },
  // on a tenant, and on any cluster with Tekton
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  commit: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  state: { type: 'string' },
  cleanup: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  timeout: { type: 'string', multiple: true },
  // on a cluster with Tekton, without Konflux
  registry: { type: 'string' },
  'git-url': { type: 'string' },
  namespace: { type: 'string' },
  'service-account': { type: 'string', default: 'default' },
  'git-secret': { type: 'string' },
  'stand-ins': { type: 'boolean', default: false },
  'plain-http': { type: 'boolean', default: false },
  'registry-here': { type: 'string' },
} as const;

/** What a command line says. */
export type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
