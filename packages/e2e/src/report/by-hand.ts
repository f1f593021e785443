import { DEFAULT_PREFIX, LabelNames } from '@multi-image/digest-chain/oci';
import type { Report, ReportImage } from './report.ts';
import { publishedDigest } from './report-images.ts';

/** A command with which somebody who trusts none of this looks for themselves. */
export interface HandCheck {
  /** What it shows. */
  what: string;
  /** For bash, with the run's values filled in and quoted. */
  command: string;
  /** What its output has to contain, where that is known. */
  prints?: readonly string[];
}

export interface HandChecks {
  title: string;
  checks: readonly HandCheck[];
}

interface Edge {
  image: ReportImage;
  embedded: ReportImage;
  /** The reference of what is published of each, by digest. */
  imageRef: string;
  embeddedRef: string;
  originRef: string;
}

/** The commands for every link of a chain, by tool. Nothing where no chain was published. */
export function handChecksOf(made: Report): readonly HandChecks[] {
  const report = asReachedHere(made);
  const edges = edgesOf(report);
  if (edges.length === 0) return [];
  const groups: HandChecks[] = [
    { title: 'The runs, with kubectl', checks: runChecks(report) },
    { title: 'The links, with skopeo and jq', checks: edges.flatMap((edge) => linkChecks(edge, report)) },
    { title: 'What the images print, with podman', checks: outputChecks(edges, report) },
    { title: 'The signatures, with cosign', checks: signatureChecks(edges, report) },
    { title: 'All of it, with this repository', checks: ownChecks(edges, report) },
  ];
  return groups.filter(({ checks }) => checks.length > 0);
}

/** The same report with the images where this machine finds them: a cluster may call their registry otherwise. */
function asReachedHere(report: Report): Report {
  const elsewhere = report.byHand?.elsewhere;
  if (elsewhere === undefined) return report;
  const images = report.images.map((image) => ({ ...image, repository: reachedBy(elsewhere, image.repository) }));
  return { ...report, images };
}

function reachedBy({ from, to }: { from: string; to: string }, repository: string): string {
  return repository.startsWith(`${from}/`) ? to + repository.slice(from.length) : repository;
}

function edgesOf({ images }: Report): readonly Edge[] {
  return images.flatMap((image) =>
    images.flatMap((embedded): Edge[] => {
      const [digest, embeddedDigest] = [publishedDigest(image), publishedDigest(embedded)];
      if (!image.embeds.includes(embedded.role) || digest === null || embeddedDigest === null) return [];
      if (embedded.originDigest === null || !image.repository || !embedded.repository) return [];
      return [
        {
          image,
          embedded,
          imageRef: quote(`${image.repository}@${digest}`),
          embeddedRef: quote(`${embedded.repository}@${embeddedDigest}`),
          originRef: quote(`${embedded.repository}@${embedded.originDigest}`),
        },
      ];
    }),
  );
}

function linkChecks({ image, embedded, ...at }: Edge, { labelPrefix, byHand = {} }: Report): HandCheck[] {
  const tls = byHand.plainHttp || isLoopback(image) ? ' --tls-verify=false' : '';
  const inspect = (flags: string, reference: string): string => `skopeo inspect${tls}${flags} docker://${reference}`;
  const names = new LabelNames(labelPrefix);
  const label = (name: string): string => `jq -r ${quote(`.Labels[${JSON.stringify(name)}]`)}`;
  const origin = embedded.originDigest ?? '';
  const sealed = embedded.sealedDigest !== null;
  return [
    {
      what: `${image.title} was built with ${embedded.title}'s digest inside`,
      command: `${inspect(' --config', at.imageRef)} | jq -r '.config.Env[]' | grep ${quote(origin)}`,
      prints: [origin],
    },
    {
      what: `${embedded.title} as built is in the registry, and its bytes hash to this digest`,
      command: `${inspect(' --raw', at.originRef)} | ${sumOf(origin)}`,
      prints: [origin.replace(/^.*:/, '')],
    },
    ...(sealed
      ? [
          {
            what: `${embedded.title} leads back to ${image.title}`,
            command: `${inspect('', at.embeddedRef)} | ${label(names.digestOf(image.role))}`,
            prints: [publishedDigest(image) ?? ''],
          },
          {
            what: `${embedded.title} says what it was before it was sealed: what ${image.title} names`,
            command: `${inspect('', at.embeddedRef)} | ${label(names.sealedFrom)}`,
            prints: [origin],
          },
          {
            what: `The seal's labels are all that was changed in ${embedded.title}`,
            command: `diff <(${inspect(' --config', at.originRef)} | jq -S .) \\\n     <(${inspect(' --config', at.embeddedRef)} | jq -S .)`,
            prints: [names.sealedFrom],
          },
        ]
      : []),
  ];
}

function outputChecks(edges: readonly Edge[], { images, byHand = {} }: Report): HandCheck[] {
  return images.flatMap((image): HandCheck[] => {
    const digest = publishedDigest(image);
    if (!image.ran || digest === null) return [];
    const tls = byHand.plainHttp || isLoopback(image) ? ['--tls-verify=false'] : [];
    const embedded = edges.filter((edge) => edge.image === image);
    const args = [...tls, ...(byHand.podmanArguments ?? []), `${image.repository}@${digest}`];
    return [
      {
        what: `${image.title} runs${embedded.length > 0 ? ' and prints the digest that it holds' : ''}`,
        command: ['podman run --rm --quiet', ...args.map(quote)].join(' '),
        prints: embedded.map((edge) => edge.embedded.originDigest ?? ''),
      },
    ];
  });
}

function signatureChecks(edges: readonly Edge[], report: Report): HandCheck[] {
  const { images, publicKeys } = report;
  const signed = images.filter(({ signature, repository }) => signature?.status === 'passed' && repository !== '');
  if (signed.length === 0) return [];
  const key = '--key cosign.pub --insecure-ignore-tlog=true';
  const http = report.byHand?.plainHttp ? ' --allow-http-registry' : '';
  const payload = `jq -r '.payload | @base64d | fromjson`;
  return [
    {
      what: 'The key that this report was made with',
      command: `cat > cosign.pub <<'END'\n${(publicKeys[0] ?? '').trim()}\nEND`,
    },
    ...(report.cluster === undefined
      ? []
      : [
          {
            what: 'It is the one of Tekton Chains in the cluster, if you may read it there (the namespace may be another, such as openshift-pipelines)',
            command: `kubectl get secret public-key -n tekton-pipelines -o json | jq -r '.data["cosign.pub"] | @base64d'`,
          },
        ]),
    ...signed.map((image) => ({
      what: `${image.title} is signed`,
      command: `cosign verify ${key}${http} ${quote(`${image.repository}@${publishedDigest(image)}`)}`,
      prints: [publishedDigest(image) ?? ''],
    })),
    ...(report.level === 'attested'
      ? edges.flatMap(({ image, embedded, imageRef }) => {
          const attestation = `cosign verify-attestation ${key} --type slsaprovenance${http} ${imageRef}`;
          return [
            {
              what: `One signed provenance has ${embedded.title} and ${image.title} as its subjects`,
              command: `${attestation} \\\n  | ${payload} | .subject[].digest.sha256'`,
              prints: [publishedDigest(embedded), publishedDigest(image)].map((digest) => digest?.slice(7) ?? ''),
            },
            {
              what: `In it, ${image.title} was built with ${embedded.title}'s digest as a build argument`,
              command: `${attestation} \\\n  | ${payload} | .predicate.buildConfig.tasks[]?.invocation.parameters.BUILD_ARGS[]?'`,
              prints: [`=${embedded.originDigest}`],
            },
          ];
        })
      : []),
  ];
}

function ownChecks(
  edges: readonly Edge[],
  { images, labelPrefix, seal, publicKeys, byHand = {} }: Report,
): HandCheck[] {
  const { copied, elsewhere, plainHttp } = byHand;
  const http = plainHttp ? ' --plain-http' : '';
  // Links name the registry as the cluster does, so whoever follows them has to know both names.
  const here = elsewhere === undefined ? '' : ` --registry-here ${quote(elsewhere.to)}`;
  const asLinked = (reference: string): string =>
    elsewhere === undefined ? reference : reachedBy({ from: elsewhere.to, to: elsewhere.from }, reference);
  const prefix = labelPrefix === DEFAULT_PREFIX ? '' : ` --prefix ${quote(labelPrefix)}`;
  const key = publicKeys.length > 0 ? ' --key cosign.pub' : '';
  const placesBut = (start: string): string =>
    (copied ? images : [])
      .filter(({ role }) => role !== start)
      .map(({ role, repository }) => ` --at ${quote(`${role}=${asLinked(repository)}`)}`)
      .join('');
  const references = [...new Map(edges.map((edge) => [edge.embeddedRef, edge.embedded]))];
  return references.flatMap(([reference, { role, title, originDigest, sealedDigest }]) => [
    {
      what: `The chain that ${title} begins holds`,
      command: `npx --yes pnpm@12 e2e verify ${asLinked(reference)}${placesBut(role)}${key}${prefix}${http}${here}`,
      prints: ['0 failed'],
    },
    ...(seal === 'label' && sealedDigest !== null
      ? [
          {
            what: `Without its seal, ${title} is what it was built as, byte for byte`,
            command: `npx --yes pnpm@12 exec node packages/digest-chain/src/cli.ts unseal ${reference}${prefix}${http}`,
            prints: [originDigest ?? ''],
          },
        ]
      : []),
  ]);
}

function runChecks({ cluster, runs }: Report): HandCheck[] {
  if (cluster === undefined || runs.length === 0) return [];
  const namespace = ` -n ${quote(cluster.namespace)}`;
  return [
    {
      what: 'The PipelineRuns, while the cluster keeps them',
      command: `kubectl get pipelineruns${namespace} ${runs.map(({ name }) => quote(name)).join(' ')}`,
    },
    ...runs.map(({ name }) => ({
      what: `What ${name} came to`,
      command: `kubectl get pipelinerun ${quote(name)}${namespace} -o json | jq '.status.results // .status.pipelineResults'`,
    })),
  ];
}

/** The tool for a digest's algorithm. */
function sumOf(digest: string): string {
  return digest.startsWith('sha512:') ? 'sha512sum' : 'sha256sum';
}

function isLoopback({ repository }: ReportImage): boolean {
  return /^(?:localhost|127\.0\.0\.1)(?::|\/)/.test(repository);
}

/** One word for a shell, whatever is in it. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
