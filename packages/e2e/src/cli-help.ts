/** How this command is started: in a clone of the template, or as the package that was installed. */
export const COMMAND: string = import.meta.url.endsWith('.ts') ? 'pnpm e2e' : 'multi-image-e2e';

/** What `--help` prints. */
export const HELP: string = `Builds the chain of images on this machine with the pipelines that Konflux would run, and proves it.

Usage: ${COMMAND} [options]
       ${COMMAND} preflight     only checks the tools that it needs, and installs what is missing
       ${COMMAND} verify IMAGE  proves published images, without building anything
       ${COMMAND} --target tenant [options]
                              builds and proves the chain on a Konflux tenant
       ${COMMAND} --target tekton [options]
                              does it on any cluster that has Tekton, without Konflux

Options:
  --config FILE  the chain to build (default konflux.config.ts at the root of the repository)
  --json         print the report as JSON; what people read goes to standard error then
  --report FILE  write the report as JSON, too
  --html FILE    write it as one self-contained HTML page, too
  --junit FILE   write it as JUnit XML, too
  --open         show the HTML page in a browser
  --keep         leave the registry and the images; prints their addresses and how to remove them
  --allow-drift  run the pipelines as they are even where they were edited, or rendered from
                 another config: to try a change. Nothing leaves this machine all the same
  --port NUMBER  port of the throwaway registry on loopback (default 5480, or where that is taken any
                 free one; 0: any free one).
                 Image 2 holds Image 1's address, so its digest depends on the port
  --isolation chroot
                 build without a sandbox, where this machine lets none be made: what a Containerfile
                 runs has the rights of this user then
  --external ROLE=IMAGE
                 what an image that is built elsewhere is here: one of another registry, or
                 oci:FOLDER, is copied with its digest; can be repeated. Without it an empty image
                 is in its place, since the pipelines reach the run's own registry and no other
  --no-install   never install a missing tool; print the command instead
  --help, --version

Of published images (verify):
  --key FILE     public keys of the build system, such as cosign.pub; can be repeated. On a tenant:
                 in place of the cluster's
  --certificate-identity[-regexp] WHO, --certificate-oidc-issuer[-regexp] URL, --trusted-root FILE,
  --tuf-mirror URL, --tuf-root FILE
                 who may have signed with a certificate (keyless): as digest-chain verify; on a cluster,
                 too, in place of its key
  --revision SHA the commit that all images must have been built from
  --source URL, --branch NAME
                 the git repository and branch that they must have been built from, by what was signed
  --builder-id ID, --builder-task PATTERN, --allow-pull-request
                 who may have built them, and of what: as digest-chain verify
  --prefix TEXT  of the labels (default io.konflux.poc)
  --at ROLE=REPOSITORY
                 where the image of this role is now, of a chain that was copied; can be repeated
  --plain-http   the registry has no TLS; on loopback none is expected
  --registry-here HOST[:PORT]
                 how this machine reaches the registry that the images' links name otherwise

On a Konflux tenant (--target tenant; docs/tenant-run.md):
  --kubeconfig FILE, --context NAME
                 which cluster and login; as kubectl by default, or the pod's own
  --dry-run      only say what would be applied; with --cleanup: deleted
  --commit SHA   follow the runs of a push; applies and starts nothing
  --resume       take up the last run where it was left (state in --state FILE)
  --timeout WAIT=TIME
                 how long a wait may take: configured, started, runs, signed, snapshot, tests,
                 released; as in runs=4h; without a name for all of them; can be repeated
  --cleanup      delete what tenant runs made in the namespace, and nothing else; asks (--yes: doesn't)

On any cluster with Tekton, without Konflux (--target tekton; docs/tekton-run.md). Besides --kubeconfig, --context,
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

Exit code: 0 no criterion failed, 1 a criterion failed, 2 the run could not be made, 130 or 143 interrupted.

Examples:
  ${COMMAND}
  ${COMMAND} --config examples/app-sidecar/konflux.config.ts
  ${COMMAND} --keep --report report.json
  ${COMMAND} verify quay.io/org/image1:latest --key cosign.pub
  ${COMMAND} --target tenant --commit $(git rev-parse HEAD)
  ${COMMAND} --target tekton --registry ghcr.io/me --stand-ins
`;
