import { link } from '@multi-image/digest-chain';
import { createRegistry, parseDigestReference } from '@multi-image/digest-chain/oci';
import { REVISION } from '@multi-image/testing/chain';
import { type EmbeddingImage, pushEmbedding } from '@multi-image/testing/embedding-image';

/** What `verify` is called with. */
export type VerifyArguments = readonly [image: string, ...options: string[]];

/**
 * Pushes 30 images, one of them built elsewhere, a bundle with so many files of 20 kB, of which each names one of those, and
 * a catalog that embeds the bundle; links them by one statement, and answers with how `verify` proves all of it.
 */
export async function pushBundle(host: string, files: number): Promise<VerifyArguments> {
  const registry = createRegistry();
  const build = (role: string, embeds: readonly EmbeddingImage[], content?: Record<string, string>) =>
    pushEmbedding(registry, `${host}/bundle/${role}`, role, embeds, content === undefined ? {} : { files: content });
  const operands: EmbeddingImage[] = [];
  for (let at = 0; at < 30; at++) operands.push(await build(`operand-${at}`, []));
  const padding = `# ${'x'.repeat(77)}\n`.repeat(250);
  const manifests = Array.from({ length: files }, (_, at) => {
    return [`manifests/file-${at}.yaml`, `${padding}image: ${operands[at % operands.length]?.url}\n`];
  });
  const bundle = await build('bundle', operands, Object.fromEntries(manifests));
  const catalog = await build('catalog', [bundle], { 'configs/catalog.yaml': `image: ${bundle.url}\n` });
  const at = ({ role, image, digest }: EmbeddingImage) => {
    return { role, image: parseDigestReference(`${image}:${REVISION}@${digest}`) };
  };
  const [first, external, ...others] = operands.map(at);
  if (first === undefined || external === undefined) throw new Error('no images');
  await link(registry, first.image, [...others, at(bundle), at(catalog)], { external: [external] });
  return [
    `${host}/bundle/operand-0:${REVISION}`,
    ...operands.map(({ role }) => `--files=bundle/${role}=manifests/*.yaml`),
    '--files=catalog/bundle=configs/*.yaml',
  ];
}
