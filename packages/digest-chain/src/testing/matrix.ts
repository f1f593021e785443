import { REVISION, type TestChain } from '@multi-image/testing/chain';
import { pushLayeredImage } from '@multi-image/testing/layered-image';
import { pushChain } from '@multi-image/testing/pushed-chain';
import type { Digest } from '../digest.ts';
import { extract } from '../extract.ts';
import { inspect } from '../inspect/inspect.ts';
import { link } from '../link.ts';
import { EMPTY, EMPTY_MEDIA_TYPE, OCI_MANIFEST } from '../media-types.ts';
import { parseDigestReference, parseReference, parseTagReference } from '../reference.ts';
import { createRegistry } from '../registry/client.ts';
import { fallbackTag } from '../registry/referrers.ts';
import type { Registry } from '../registry/registry.ts';
import { type SealOptions, type SealResult, seal } from '../seal.ts';
import { subjectOf } from '../statement/artifact.ts';
import { unseal } from '../unseal.ts';
import { verify } from '../verify.ts';
import { PROFILE_LOGIN, type QuirkProxy, type Rule } from './profiles.ts';

/** What is tried at each registry; the columns of the table in docs/registries.md. */
export const COLUMNS = [
  'seal',
  'of an index',
  'into another repository',
  'carry',
  'statement found by',
  'verify from Image 1',
  'from Image 2',
  'inspect',
  'extract',
  'unseal',
  'link',
  'requests of a seal',
] as const;

export type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

const YES = '✓';

/** Tries everything at a registry behind a proxy, which gets these rules once the images are there. */
export async function tryAll(proxy: QuirkProxy, rules: readonly Rule[]): Promise<Row> {
  proxy.quirks = [];
  const { host } = proxy;
  const [plain, one, index, linked] = await Promise.all([
    pushChain(host, 'plain'),
    pushChain(host, 'one'),
    pushChain(host, 'index', { platforms: ['linux/amd64', 'linux/arm64'] }),
    pushChain(host, 'linked'),
  ]);
  const layered = `${host}/layered@${await pushLayeredImage(`${host}/layered:v1`, 3, 200_000)}`;
  proxy.quirks = rules.map(({ quirk }) => quirk);
  const registry = clientOf();

  proxy.log.length = 0;
  await seal(clientOf(), parseDigestReference(`${plain.image1}@${plain.origin}`), linkedOf(plain));
  // Those that a login takes, and those that were limited, are no part of what is asked.
  const requests = proxy.log.filter((line) => !/ -> (401|429)$|^GET \/token/.test(line)).length;

  await pushSbom(registry, one.image1, one.origin);
  const sealed = await sealedWith(registry, one);
  const tag = parseReference(`${one.image1}:${REVISION}`);
  const proof = await verify(registry, tag);
  const back = await verify(clientOf(), parseReference(`${one.image2}@${one.metadata}`)).catch(() => undefined);
  const inspected = await inspect(registry, tag);
  const extracted = await extract(registry, tag, { role: 'metadata' });
  const { origin } = await unseal(registry, tag);
  const elsewhere = await sealElsewhere(layered, host);
  return {
    seal: sealed.withStatement ? YES : 'labels alone',
    'of an index': (await sealedWith(registry, index)).withStatement ? YES : 'labels alone',
    'into another repository': elsewhere,
    carry: sealed.result.attachments?.carried.length === 1 ? YES : 'left, with a note',
    'statement found by': sealed.withStatement ? await placeOfList(registry, one, host) : 'none',
    'verify from Image 1': proof.level === 'linked' ? YES : 'no',
    'from Image 2': back?.level === 'linked' ? YES : 'no',
    inspect: inspected.images.length === 2 ? YES : 'no',
    extract: extracted.digest === one.metadata ? YES : 'no',
    unseal: origin.manifest.digest === one.origin ? YES : 'no',
    link: await linkOf(registry, linked),
    'requests of a seal': `${requests}`,
  };
}

function clientOf(): Registry {
  return createRegistry({ credentials: async () => ({ type: 'basic', ...PROFILE_LOGIN }), retryPause: 5 });
}

function linkedOf(chain: TestChain) {
  return [{ role: 'metadata', image: parseDigestReference(`${chain.image2}:${REVISION}@${chain.metadata}`) }];
}

/** Seals under a tag, twice: the second time changes nothing. Without a statement where the error says that it can be left out. */
async function sealedWith(
  registry: Registry,
  chain: TestChain,
): Promise<{ result: SealResult; withStatement: boolean }> {
  const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
  const tag = parseTagReference(`${chain.image1}:${REVISION}`);
  const twice = async (options: SealOptions): Promise<SealResult> => {
    const first = await seal(registry, image, linkedOf(chain), { tag, ...options });
    const second = await seal(clientOf(), image, linkedOf(chain), { tag, ...options });
    if (first.digest !== second.digest) throw new Error('sealing again changed the image');
    return first;
  };
  try {
    return { result: await twice({}), withStatement: true };
  } catch (error) {
    if (!/the chain statement could not be attached/.test(String(error))) throw error;
    return { result: await twice({ statement: false }), withStatement: false };
  }
}

async function sealElsewhere(layered: string, host: string): Promise<string> {
  const registry = clientOf();
  const mounted: boolean[] = [];
  const noting: Registry = {
    ...registry,
    async copyBlob(...args) {
      const copied = await registry.copyBlob(...args);
      mounted.push(copied.mounted);
      return copied;
    },
  };
  const image = parseDigestReference(layered);
  const tag = parseTagReference(`${host}/released/layered:v1`);
  await seal(noting, image, [{ role: 'metadata', image }], { tag, check: false });
  const { origin } = await unseal(registry, tag);
  if (origin.manifest.digest !== image.digest) throw new Error('what was sealed elsewhere does not unseal');
  const layers: { digest: Digest; size: number }[] = JSON.parse(Buffer.from(origin.manifest.bytes).toString()).layers;
  for (const { digest, size } of layers) {
    if ((await registry.headBlob(tag, digest))?.size !== size) throw new Error(`a layer did not get there: ${digest}`);
  }
  return mounted.every((each) => each) ? 'mounts' : 'streams';
}

/** Where the statement at Image 2 is listed. */
async function placeOfList(registry: Registry, chain: TestChain, host: string): Promise<string> {
  const place = parseReference(chain.image2);
  const tagged = (await registry.headManifest(place, fallbackTag(chain.metadata))) !== undefined;
  const authorization = `Basic ${Buffer.from(Object.values(PROFILE_LOGIN).join(':')).toString('base64')}`;
  const response = await fetch(`http://${host}/v2/${place.repository}/referrers/${chain.metadata}`, {
    headers: { authorization },
  });
  const listed = await response.json().then(
    (list) => response.ok && ((list as { manifests?: unknown[] }).manifests ?? []).length > 0,
    () => false,
  );
  return [...(listed ? ['its list'] : []), ...(tagged ? ['the fallback tag'] : [])].join(' and ');
}

async function linkOf(registry: Registry, chain: TestChain): Promise<string> {
  const image = parseDigestReference(`${chain.image1}@${chain.origin}`);
  try {
    await link(registry, image, linkedOf(chain), { tag: parseTagReference(`${chain.image1}:linked`) });
  } catch (error) {
    if (/the chain statement could not be attached/.test(String(error))) return 'no: seal instead';
    throw error;
  }
  const { level } = await verify(clientOf(), parseReference(`${chain.image1}:linked`));
  return level === 'linked' ? YES : 'no';
}

/** Attaches an SBOM by its subject; where that is refused, as cosign does by a tag. */
async function pushSbom(registry: Registry, repository: string, image: Digest): Promise<void> {
  const place = parseReference(repository);
  const subject = subjectOf(await registry.getManifest(place, image));
  const sbom = await registry.putBlob(place, Buffer.from('{"bomFormat":"CycloneDX"}'));
  const config = { mediaType: EMPTY_MEDIA_TYPE, ...(await registry.putBlob(place, EMPTY)) };
  const artifactType = 'application/vnd.cyclonedx+json';
  const content = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config };
  const manifestOf = (more: object) => {
    const document = { ...content, layers: [{ mediaType: artifactType, ...sbom }], ...more };
    return { bytes: Buffer.from(JSON.stringify(document)), mediaType: OCI_MANIFEST };
  };
  await registry
    .putReferrer(place, manifestOf({ subject }))
    .catch(() => registry.putManifest(place, `${image.replace(':', '-')}.sbom`, manifestOf({})));
}
