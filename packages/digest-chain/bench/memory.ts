import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistry, type Digest, digestOf, OCI_MANIFEST, parseReference } from '@multi-image/digest-chain/oci';
import type { CountingProxy } from '@multi-image/testing/counting-proxy';
import { configOf } from '@multi-image/testing/image';
import { type Cost, measure } from './measure.ts';

const MIB = 1024 * 1024;

/** Runs a script by this Node; answers with what it cost, and with the most memory that it had, in MB. */
export async function measurePeak(
  args: readonly string[],
  folder: string,
  proxy?: CountingProxy,
): Promise<Cost & { readonly peak: number }> {
  const report = join(folder, 'peak');
  // Kilobytes at the end of the process, as the operating system counted them.
  const atExit = `import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync(${JSON.stringify(report)},String(process.resourceUsage().maxRSS)))`;
  const preload = `data:text/javascript,${encodeURIComponent(atExit)}`;
  const cost = await measure([[process.execPath, '--import', preload, ...args]], proxy);
  return { ...cost, peak: Number(await readFile(report, 'utf8')) / 1024 };
}

/** Pushes an image with one layer of so many MiB, which compresses no further than real ones do; answers with its digest. */
export async function pushLargeImage(reference: string, mebibytes: number): Promise<Digest> {
  const registry = createRegistry();
  const place = parseReference(reference);
  const block = randomBytes(MIB);
  async function* content(): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < mebibytes; number++) {
      const piece = Buffer.from(block);
      piece.writeUInt32LE(number);
      yield piece;
    }
  }
  const hash = createHash('sha256');
  for await (const piece of content()) hash.update(piece);
  const layer = { digest: `sha256:${hash.digest('hex')}` as Digest, size: mebibytes * MIB };
  await registry.pushBlob(place, layer, content);
  const config = configOf('{}');
  await registry.putBlob(place, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { digest } = await registry.putManifest(place, place.tag ?? digestOf(bytes), {
    bytes,
    mediaType: OCI_MANIFEST,
  });
  return digest;
}
