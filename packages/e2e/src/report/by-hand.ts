import { DEFAULT_PREFIX, isLoopback, LabelNames } from '@multi-image/digest-chain/oci';
import { shellWord } from '@multi-image/kit/shell';
import { asReachedHere } from '../elsewhere.ts';
import type { Report, ReportImage } from './report.ts';
import { publishedDigest } from './report-of.ts';

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

/** An image that embeds another, with the digests of what is published of each and of what was embedded. */
interface Edge {
  image: ReportImage;
  embedded: ReportImage;
  digest: string;
  embeddedDigest: string;
  origin: string;
}

/** The commands for every link of a chain, by tool. Nothing where no chain was published. */
export function handChecksOf(made: Report): readonly HandChecks[] {
  const report = withImagesHere(made);
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
function withImagesHere(report: Report): Report {
  const here = (repository: string): string => asReachedHere(repository, report.byHand?.elsewhere);
  return { ...report, images: report.images.map((image) => ({ ...image, repository: here(image.repository) })) };
}

function edgesOf({ images }: Report): readonly Edge[] {
  return images.flatMap((image) =>
    images.flatMap((embedded): Edge[] => {
      const digest = publishedDigest(image);
      const embeddedDigest = publishedDigest(embedded);
      const origin = embedded.originDigest;
      if (!image.embeds.includes(embedded.role) || !image.repository || !embedded.repository) return [];
      if (digest === null || embeddedDigest === null || origin === null) return [];
      return [{ image, embedded, digest, embeddedDigest, origin }];
    }),
  );
}

/** One word: an image by its digest. */
function at({ repository }: ReportImage, digest: string): string {
  return shellWord(`${repository}@${digest}`);
}

/** The option without which skopeo and podman expect TLS. */
function tlsFor({ repository }: ReportImage, { byHand = {} }: Report): string {
  return byHand.plainHttp || isLoopback(repository.split('/')[0] ?? '') ? ' --tls-verify=false' : '';
}

function linkChecks({ image, embedded, digest, embeddedDigest, origin }: Edge, report: Report): HandCheck[] {
  const names = new LabelNames(report.labelPrefix);
  const inspect = `skopeo inspect${tlsFor(image, report)}`;
  const built = `docker://${at(embedded, origin)}`;
  const published = `docker://${at(embedded, embeddedDigest)}`;
  const label = (name: string): string =>
    `${inspect} ${published} | jq -r ${shellWord(`.Labels[${JSON.stringify(name)}]`)}`;
  const embedding: HandCheck[] = [
    {
      what: `${image.title} was built with ${embedded.title}'s digest inside`,
      command: `${inspect} --config docker://${at(image, digest)} | jq -r '.config.Env[]' | grep ${shellWord(origin)}`,
      prints: [origin],
    },
    {
      what: `${embedded.title} as built is in the registry, and its bytes hash to this digest`,
      command: `${inspect} --raw ${built} | ${origin.startsWith('sha512:') ? 'sha512sum' : 'sha256sum'}`,
      prints: [origin.replace(/^.*:/, '')],
    },
  ];
  if (embedded.sealedDigest === null) return embedding;
  return [
    ...embedding,
    {
      what: `${embedded.title} leads back to ${image.title}`,
      command: label(names.digestOf(image.role)),
      prints: [digest],
    },
    {
      what: `${embedded.title} says what it was before it was sealed: what ${image.title} names`,
      command: label(names.sealedFrom),
      prints: [origin],
    },
    {
      what: `The seal's labels are all that was changed in ${embedded.title}`,
      command: `diff <(${inspect} --config ${built} | jq -S .) \\\n     <(${inspect} --config ${published} | jq -S .)`,
      prints: [names.sealedFrom],
    },
  ];
}

function outputChecks(edges: readonly Edge[], report: Report): HandCheck[] {
  return report.images.flatMap((image): HandCheck[] => {
    const digest = publishedDigest(image);
    if (!image.ran || digest === null) return [];
    const origins = edges.filter((edge) => edge.image === image).map(({ origin }) => origin);
    const args = (report.byHand?.podmanArguments ?? []).map((arg) => ` ${shellWord(arg)}`).join('');
    return [
      {
        what: `${image.title} runs${origins.length > 0 ? ' and prints the digest that it holds' : ''}`,
        command: `podman run --rm --quiet${tlsFor(image, report)}${args} ${at(image, digest)}`,
        prints: origins,
      },
    ];
  });
}

function signatureChecks(edges: readonly Edge[], report: Report): HandCheck[] {
  const signed = report.images.flatMap((image) => {
    const digest = publishedDigest(image);
    return image.signature?.status === 'passed' && image.repository !== '' && digest !== null
      ? [{ image, digest }]
      : [];
  });
  if (signed.length === 0) return [];
  const { publicKeys, signer } = report;
  // Which of both signed is not told: cosign takes one.
  const key = publicKeys.length === 0 && signer !== undefined ? signer : '--key cosign.pub --insecure-ignore-tlog=true';
  const http = report.byHand?.plainHttp ? ' --allow-http-registry' : '';
  const checks: HandCheck[] = [];
  if (publicKeys[0] !== undefined) {
    checks.push({
      what: 'The key that this report was made with',
      command: `cat > cosign.pub <<'END'\n${publicKeys[0].trim()}\nEND`,
    });
  }
  if (report.cluster !== undefined) {
    checks.push({
      what: 'It is the one of Tekton Chains in the cluster, if you may read it there (the namespace may be another, such as openshift-pipelines)',
      command: `kubectl get secret public-key -n tekton-pipelines -o json | jq -r '.data["cosign.pub"] | @base64d'`,
    });
  }
  for (const { image, digest } of signed) {
    checks.push({
      what: `${image.title} is signed`,
      command: `cosign verify ${key}${http} ${at(image, digest)}`,
      prints: [digest],
    });
  }
  if (report.level !== 'attested') return checks;
  for (const { image, embedded, digest, embeddedDigest, origin } of edges) {
    const attestation = `cosign verify-attestation ${key} --type slsaprovenance${http} ${at(image, digest)}`;
    const payload = `${attestation} \\\n  | jq -r '.payload | @base64d | fromjson`;
    checks.push(
      {
        what: `One signed provenance has ${embedded.title} and ${image.title} as its subjects`,
        command: `${payload} | .subject[].digest.sha256'`,
        prints: [embeddedDigest.slice(7), digest.slice(7)],
      },
      {
        what: `In it, ${image.title} was built with ${embedded.title}'s digest as a build argument`,
        command: `${payload} | .predicate.buildConfig.tasks[]?.invocation.parameters.BUILD_ARGS[]?'`,
        prints: [`=${origin}`],
      },
    );
  }
  return checks;
}

function ownChecks(edges: readonly Edge[], report: Report): HandCheck[] {
  const { images, labelPrefix, publicKeys, signer, byHand = {} } = report;
  const { copied, elsewhere, plainHttp } = byHand;
  const http = plainHttp ? ' --plain-http' : '';
  // Links name the registry as the cluster does, so whoever follows them has to know both names.
  const here = elsewhere === undefined ? '' : ` --registry-here ${shellWord(elsewhere.to)}`;
  const asLinked = (reference: string): string =>
    asReachedHere(reference, elsewhere && { from: elsewhere.to, to: elsewhere.from });
  const prefix = labelPrefix === DEFAULT_PREFIX ? '' : ` --prefix ${shellWord(labelPrefix)}`;
  const key = `${publicKeys.length > 0 ? ' --key cosign.pub' : ''}${signer === undefined ? '' : ` ${signer}`}`;
  const placesBut = (start: ReportImage): string =>
    (copied ? images : [])
      .filter((image) => image !== start)
      .map(({ role, repository }) => ` --at ${shellWord(`${role}=${asLinked(repository)}`)}`)
      .join('');
  const embedded = new Map(edges.map((edge) => [edge.embedded, edge]));
  return [...embedded.values()].flatMap(({ embedded: image, embeddedDigest, origin }) => {
    const reference = at(image, embeddedDigest);
    const verified: HandCheck = {
      what: `The chain that ${image.title} begins holds`,
      command: `npx --yes pnpm@12 e2e verify ${asLinked(reference)}${placesBut(image)}${key}${prefix}${http}${here}`,
      prints: ['0 failed'],
    };
    if (image.sealedDigest === null) return [verified];
    return [
      verified,
      {
        what: `Without its seal, ${image.title} is what it was built as, byte for byte`,
        command: `npx --yes pnpm@12 exec node packages/digest-chain/src/cli.ts unseal ${reference}${prefix}${http}`,
        prints: [origin],
      },
    ];
  });
}

function runChecks({ cluster, runs }: Report): HandCheck[] {
  if (cluster === undefined || runs.length === 0) return [];
  const namespace = ` -n ${shellWord(cluster.namespace)}`;
  return [
    {
      what: 'The PipelineRuns, while the cluster keeps them',
      command: `kubectl get pipelineruns${namespace} ${runs.map(({ name }) => shellWord(name)).join(' ')}`,
    },
    ...runs.map(({ name }) => ({
      what: `What ${name} came to`,
      command: `kubectl get pipelinerun ${shellWord(name)}${namespace} -o json | jq '.status.results // .status.pipelineResults'`,
    })),
  ];
}
