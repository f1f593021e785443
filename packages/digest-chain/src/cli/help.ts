/** The options of the verbs that prove. */
const DEMANDS = `\
  --key <file>          public keys (PEM) of the build system, or env://<variable> with
                        them; can be repeated. Of what they signed no certificate and
                        no transparency log is checked
  --certificate-identity <subject>  who may have signed with a certificate (keyless): the
                        e-mail address or URI in it; or, in place of it,
  --certificate-identity-regexp <pattern>  which matches a part unless ^ and $ are there
  --certificate-oidc-issuer <url>  who must have vouched for the identity; or
  --certificate-oidc-issuer-regexp <pattern>. Identity and issuer are both needed;
                        with --key any of both may have signed
  --trusted-root <file>  trusted_root.json of the Sigstore instance: nothing is asked for
                        then (default: that of Sigstore's public instance, fetched by TUF
                        and kept in ~/.cache/digest-chain until it expires)
  --tuf-mirror <url>    fetch it from this TUF repository, which --tuf-root <file>, its
                        root.json, is the trust in
  --revision <commit>   the git commit that all images must have been built from
  --source <git-url>    the repository that they must have been built from, by what the
                        build system signed (needs --key or an identity)
  --branch <name>       the branch that they must have been pushed to, as Pipelines as Code
                        annotated the run and the build system signed it; who may push to
                        another one has its commits signed, too (default: any)
  --builder-id <id>     the builder that may have signed it; can be repeated (default:
                        https://tekton.dev/chains/v2, as Tekton Chains calls itself)
  --builder-task <pattern>  the bundles that the tasks which build and clone must come
                        from, as oci://quay.io/konflux-ci/tekton-catalog/*; can be
                        repeated (default: any task)
  --allow-pull-request  take a run that built a pull request, too
  --files <role>=<pattern>  files of the image of this role, as manifests/*.yaml, that have
                        to name what it embeds by digest, or with <role>/<embedded> the
                        image of that role; can be repeated. Its layers are read for it
  --released <role>=<repository>  the name under which the image of this role is released:
                        files may name it so, by the same digest; can be repeated`;

/** The options of every verb: how registries are reached, and what is printed. */
const COMMON = `\
  --plain-http          reach all registries without TLS; those on loopback always are
  --plain-http-at <registry>  reach this one (host:port) without TLS; can be repeated
  --ca-file <file>      certificate authorities (PEM) to trust beside the usual ones
  --auth-file <file>    credentials, in place of docker's and podman's own files
  --json                print the result as JSON
  -h, --help            print this`;

/** Those of the verbs that read labels. */
const LABELS = `\
  --prefix <prefix>     of the labels (default: io.konflux.poc)
${COMMON}`;

/** The options of the verbs that run in an integration test. */
const TEST = `
Options (env://<variable> for a value is that of the variable, which may be empty):
  --snapshot <json>     the Snapshot's spec, as the test's parameter SNAPSHOT has it
  --component <role>=<name>  the component of the image of this role; <role>=- for none
  --external-component <role>=<name>  the component of an image that was built elsewhere
  --start <role>        an image that links to others, the one that leads to the rest first;
                        can be repeated (default: the first component)
  --built <component>   whose build the Snapshot was made from
  --event <event>       of that build, as Pipelines as Code calls it: push, pull_request, …
  --pull-request <number>  of that build
  --git-url <url>       the repository that pushes are built from, where no --source is proved
  --test-output <file>  write the outcome there, too`;

/** What `--help` prints, by verb. */
export const HELP: Readonly<Record<string, string>> = {
  general: `Usage: digest-chain <verb> …

Links container images by digest, in both directions, and proves the link.

Verbs:
  seal      write the digests of the images that embed an image into its labels
  link      link images by a chain statement alone, and change none of them
  resolve   find the digests of images that were built elsewhere, before they are embedded
  unseal    reconstruct an image as it was before it was sealed
  verify    prove that images name each other by digest
  inspect   show a chain: its images, links, referrers and signatures
  extract   wait for an image, verify it, answer with another image of its chain
  snapshot  print the Konflux Snapshot of a chain whose proof holds
  judge-snapshot   in an integration test: prove the chain that a Snapshot holds
  create-snapshot  in an integration test: create the Snapshot of a chain, once it is whole

digest-chain <verb> --help prints a verb's options, with examples; --version the version.
Exit status: 0 done, 1 failed, 2 refused: wrong usage or bad input, or what was found could
not be printed; 128 and its number where a signal ended it.
`,

  seal: `Usage: digest-chain seal <origin> <role>=<image>... [options]

Writes the digests of the images that embed <origin> into its labels, and pushes
the result. Every byte but the seal's own labels stays,
so that unsealing gives the origin back, with its digest.

  <origin>, <image>     references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as metadata

Options:
  --tag <reference>     publish under this tag (repo:tag). Each linked image is checked
                        first: it exists, and embeds the origin. SBOMs are carried
                        over, and the chain statement is attached to all images.
                        The tag is written last.
  --to <repository>     push to this repository (default: the tag's, else the origin's);
                        what is not there is mounted, or copied
  --no-check            don't check the linked images; no statement is attached, and
                        SBOMs only with --carry
  --carry, --no-carry   whether SBOMs that are attached to <origin> are attached to the
                        sealed image too (default: with --tag); signatures never are
  --no-statement        attach no chain statement
  --pipeline-run <name>  what the statement names as the run that built the images
  --result-url <file>   write the sealed image's url there
  --result-digest <file>  write the sealed image's digest there
  --result-images <file>  of a sealed index: write there each image in it, as
                        repo@sha256:…, with commas between
  --result-sbom <file>  write there where its SBOM is (repo@sha256:…), if it has one
${LABELS}

Examples:
  digest-chain seal quay.io/org/app@sha256:… metadata=quay.io/org/meta:1.0@sha256:… --tag quay.io/org/app:1.0
  digest-chain seal quay.io/org/app@sha256:… bundle=quay.io/org/bundle@sha256:… catalog=quay.io/org/catalog@sha256:…
`,

  link: `Usage: digest-chain link <image> <role>=<image>... [options]

Links the images of a chain without changing any: attaches the chain statement to
each of them. Every digest stays what the others name. An image has to embed <image>, or
to be connected with it by others that are given.

  <image>               references with a digest: repo@sha256:…, repo:tag@sha256:…
  <role>                the linked image's part in the chain, such as bundle

Options:
  --tag <reference>     publish under this tag (repo:tag, the image's repository), last
  --external <role>=<image>  an image that was built elsewhere, and that some of these
                        embed: the statement names it, and is not attached to it; a tag
                        beside its digest must still name it; can be repeated
  --pipeline-run <name>  what the statement names as the run that built the images
  --result-url <file>   write the image's url there
  --result-digest <file>  write the image's digest there
${LABELS}

Examples:
  digest-chain link quay.io/org/operator@sha256:… bundle=quay.io/org/bundle:1.0@sha256:… --tag quay.io/org/operator:1.0
  digest-chain link quay.io/org/operator@sha256:… bundle=quay.io/org/bundle@sha256:… catalog=quay.io/org/catalog@sha256:…
`,

  resolve: `Usage: digest-chain resolve <role>=<image>... [options]

Finds images that were built elsewhere, so that all that is built names one digest of
each: of a tag its digest; of a digest that it is there; of a tag and a digest that the
tag still is that digest. Prints <role>=repo:tag@sha256:… for each.

  <image>               repo:tag, repo@sha256:…, repo:tag@sha256:…
  <role>                the image's part in the chain, such as daemon

Options:
  --result-url <file>   of one image: write repo@sha256:… there
  --result-digest <file>  of one image: write its digest there
  --result-reference <file>  of one image: write repo:tag@sha256:… there
${COMMON}

Examples:
  digest-chain resolve daemon=quay.io/org/daemon:1.0
  digest-chain resolve daemon=quay.io/org/daemon:1.0@sha256:…
`,

  unseal: `Usage: digest-chain unseal <sealed> [options]

Reconstructs the image as it was before it was sealed, byte for byte, and prints
its digest. Fails where the seal does not lead back to the digest that it names.

Options:
  --manifest <file>     write the reconstructed manifest (or index) there
  --config <file>       write the reconstructed config there (not for an index)
${LABELS}

Examples:
  digest-chain unseal quay.io/org/app:1.0
  digest-chain unseal quay.io/org/app@sha256:… --manifest manifest.json && sha256sum manifest.json
`,

  verify: `Usage: digest-chain verify <image> [options]

Proves from the registry alone that the images of a chain name each other by
digest; with a key, also that the build system signed that it built them so. Starts
from any image of the chain. Reports every check; exits 1 where what was asked for
does not hold.

Options:
${DEMANDS}
  --at <role>=<repository>  read the images of this role there, not at their url: for a
                        chain that was copied; can be repeated
  --no-statement        don't look for a chain statement beside the labels
  --statement <file>    the chain statement of an image that was copied without what was
                        attached to it
  --digest-from <file>  prove the image with the digest that is in this file, whatever the
                        tag names by now
  --deadline <time>     for the whole proof: 90s, 5m (default: 5m)
${LABELS}

Examples:
  digest-chain verify quay.io/org/app:latest
  digest-chain verify quay.io/org/app:latest --key cosign.pub --source https://github.com/org/app
  digest-chain verify quay.io/org/app:latest --trusted-root trusted_root.json \\
    --certificate-identity-regexp '^https://kubernetes\\.io/namespaces/tekton-chains/' \\
    --certificate-oidc-issuer https://kubernetes.default.svc
  digest-chain verify mirror.example/app:1.0 --at metadata=mirror.example/meta
  digest-chain verify quay.io/org/app@sha256:… --revision $(git rev-parse HEAD) --json
`,

  inspect: `Usage: digest-chain inspect <image> [options]

Shows a chain from any of its images on: the images, what links them, what is
attached to them, what is signed. Proves nothing; that is what verify does.

Options:
${LABELS}

Examples:
  digest-chain inspect quay.io/org/app:latest
  digest-chain inspect quay.io/org/meta@sha256:… --json
`,

  extract: `Usage: digest-chain extract <image> --role <role> [options]

Verifies an image of a chain and answers with another one of it.

Options:
  --role <role>         which other image
  --wait                wait until the image is published, and with --key until that is
                        signed which is asked for
  --until <what>        with --key: signed (the images and the tasks that made them, which
                        is so seconds after those), or attested (the run that built them,
                        which is so after it has ended; the default)
  --deadline <time>     how long to wait: 90s, 30m, 2h (default: 30m)
${DEMANDS}
  --result-url <file>   write the linked image's url there
  --result-digest <file>  write the linked image's digest there
  --result-sbom <file>  write there where its SBOM is (repo@sha256:…), if it has one
  --result-proof <file>  write there how far it was proved, and what is not known
${LABELS}

Examples:
  digest-chain extract quay.io/org/app:latest --role metadata
  digest-chain extract quay.io/org/app:$COMMIT --role metadata --wait --deadline 20m --revision $COMMIT
`,

  snapshot: `Usage: digest-chain snapshot <image> --application <name> --component <role>=<name>... [options]

Verifies a chain from any of its images, and prints a Snapshot of it as YAML: what
Konflux tests and releases together. Every image is named by the digest that was
proved. Nothing is printed where the proof does not hold, and nothing is created:
kubectl create -f does that. Who creates it is tested and released next, so create none of
an older commit than one that is there.

Options:
  --application <name>  the Konflux application
  --component <role>=<name>  the component of the image of this role; <role>=- for an
                        image that is none. Each role of the chain has to be given
  --namespace <name>    the tenant's namespace (default: that of kubectl)
  --git-url <url>       the repository that is named as the source, where no --source is
                        proved
${DEMANDS}
${LABELS}

Examples:
  digest-chain snapshot quay.io/org/app:$COMMIT --application my-app \\
    --component primary=app --component metadata=metadata-scanner \\
    --key cosign.pub --source https://github.com/org/app | kubectl create -f -
`,

  'judge-snapshot': `Usage: digest-chain judge-snapshot --snapshot <json> --component <role>=<name>... [options]

Says of a Snapshot whether all images of a chain in it are of one build, which is proved
from the registry's bytes. For a required integration test of Konflux: a ReleasePlan waits
for it. Of a Snapshot that is not released (a component's own, one of a pull request) only
the image that was built is looked at. Prints Konflux's TEST_OUTPUT; exits 1 where it fails.
${TEST}
  --type <type>         of the Snapshot: component, group or override; none for others
  --chain <name>        the chain that the build belongs to, as its label says
  --release <what>      chain (default: no component's own Snapshot is released), components
${DEMANDS}
${LABELS}

Example:
  digest-chain judge-snapshot --snapshot "$(kubectl get snapshot NAME -o json | jq .spec)" \\
    --component primary=app --component metadata=scanner --git-url https://github.com/org/app
`,

  'create-snapshot': `Usage: digest-chain create-snapshot --snapshot <json> --built <component> --application <name>
       --chain <name> --component <role>=<name>... --history <file> [options]

In a pod of an integration test of Konflux: once every component of a chain has a Snapshot of
the commit that was built, proves that these images are one chain, and creates the chain's own
Snapshot with them. It is made once, and none after that of a later commit. The pod's
service account needs the Role that the config's rendered files have. Prints Konflux's
TEST_OUTPUT; exits 1 where the chain is broken or mixed, or nothing could be made.
${TEST}
  --application <name>  the Konflux application
  --chain <name>        what the chain is called beside others of the application
  --history <file>      the commit that was built and those before it, as
                        git log --format='%H %ct' <commit> writes them
  --service-account <folder>  token, ca.crt and namespace (default: where every pod has them)
${DEMANDS}
${LABELS}

Example:
  digest-chain create-snapshot --snapshot env://SNAPSHOT --built env://BUILT --application my-app \\
    --chain app --component primary=app --component metadata=scanner --history history \\
    --git-url https://github.com/org/app --test-output output
`,
};
