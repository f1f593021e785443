import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestRegistry, type TestRegistry } from '@multi-image/testing/registry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ImageReference, parseReference } from './reference.ts';
import { copyBlob, getBlob, getManifest, OCI_MANIFEST, putBlob, putManifest, sha256 } from './registry-io.ts';

let registry: TestRegistry;
/** Answers what a registry should not: the faults that a real one can't be made to show. */
let liar: Server;
let liarHost: string;

beforeAll(async () => {
  registry = await startTestRegistry();
  liar = createServer((request, response) => {
    if (request.url?.includes('forbidden')) response.writeHead(401).end('{"errors":[]}');
    else if (request.url?.includes('endless')) response.writeHead(200).end('x'.repeat(5 << 20));
    else response.writeHead(200, { 'content-type': OCI_MANIFEST }).end('{"something": "else"}');
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  liarHost = `127.0.0.1:${(liar.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await registry?.stop();
  liar?.close();
});

const bytes = new TextEncoder().encode('content');
const at = (text: string): ImageReference => parseReference(`${registry.host}/${text}`);

it('stores and fetches blobs and manifests, byte for byte', async () => {
  await putBlob(at('org/x'), { bytes }, sha256(bytes));
  expect(Buffer.from(await getBlob(at('org/x'), sha256(bytes), 100))).toEqual(Buffer.from(bytes));
  await copyBlob(at('org/x'), at('org/y'), sha256(bytes));
  expect((await getBlob(at('org/y'), sha256(bytes), 100)).length).toBe(bytes.length);
  const layer = { mediaType: 'text/plain', digest: sha256(bytes), size: bytes.length };
  const config = { ...layer, mediaType: 'application/vnd.oci.image.config.v1+json' };
  const text = `${JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] }, null, 3)}\n`;
  const manifest = { bytes: new TextEncoder().encode(text), mediaType: OCI_MANIFEST };
  const digest = await putManifest(at('org/x:tag'), manifest);
  for (const reference of ['org/x:tag', `org/x@${digest}`]) {
    const found = await getManifest(at(reference));
    expect(new TextDecoder().decode(found.bytes)).toBe(text);
    expect(found).toMatchObject({ digest, mediaType: OCI_MANIFEST });
  }
});

it('refuses a blob that does not hash to its digest', async () => {
  await expect(putBlob(at('org/x'), { bytes }, sha256(new Uint8Array()))).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
  });
  const lie = parseReference(`${liarHost}/org/x@${sha256(bytes)}`);
  await expect(getManifest(lie)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', expected: sha256(bytes) });
  await expect(getBlob(lie, sha256(bytes), 100)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

it('reads no more than it wants to', async () => {
  const endless = parseReference(`${liarHost}/endless/x:tag`);
  await expect(getManifest(endless)).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('too much'),
  });
});

it('says what is missing, refused or not reachable', async () => {
  await expect(getManifest(at('org/x:nothing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const forbidden = parseReference(`${liarHost}/forbidden/x:tag`);
  await expect(getManifest(forbidden)).rejects.toMatchObject({ code: 'REGISTRY_FAILED', hint: expect.any(String) });
  const down = parseReference('127.0.0.1:1/org/x:tag');
  await expect(getManifest(down)).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('127.0.0.1:1'),
  });
  await expect(getManifest(at('org/x:tag'), AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
