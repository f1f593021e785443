import { ONES, ZERO } from '@multi-image/testing/image';
import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../digest.ts';
import { DigestChainError } from '../errors.ts';
import { OCI_MANIFEST } from '../media-types.ts';
import { formatArtifact, readArtifact } from './artifact.ts';

const statement = { digest: ONES, size: 300 };
const subject = { mediaType: OCI_MANIFEST, digest: ZERO, size: 500 };

function read(change: (document: Record<string, unknown>) => unknown, of: Digest = ZERO): unknown {
  const document = JSON.parse(Buffer.from(formatArtifact(statement, subject).bytes).toString());
  const bytes = Buffer.from(JSON.stringify(change(document)));
  try {
    return readArtifact({ bytes, mediaType: OCI_MANIFEST, digest: digestOf(bytes) }, of);
  } catch (error) {
    if (error instanceof DigestChainError) return error.code;
    throw error;
  }
}

describe('the manifest of a statement', () => {
  it('has the artifact type, the empty config, the statement and its subject', () => {
    const { bytes, digest } = formatArtifact(statement, subject);
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: 'application/vnd.konflux.image-chain.v1+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [{ mediaType: 'application/vnd.in-toto+json', digest: ONES, size: 300 }],
      subject,
      annotations: { 'in-toto.io/predicate-type': 'https://poc.konflux.io/image-chain/v1' },
    });
    expect(formatArtifact(statement, subject).digest).toBe(digest);
  });

  it('is read back', () => {
    expect(read((document) => document)).toEqual(statement);
  });

  it.each<[string, (document: Record<string, unknown>) => unknown]>([
    ['another artifact type', (document) => ({ ...document, artifactType: 'application/x' })],
    ['no artifact type', ({ artifactType: _, ...document }) => document],
    ['two layers', (document) => ({ ...document, layers: [statement, statement] })],
    ['another layer', (document) => ({ ...document, layers: [{ ...statement, mediaType: 'text/plain' }] })],
    [
      'a layer that is too large',
      (document) => ({
        ...document,
        layers: [{ mediaType: 'application/vnd.in-toto+json', digest: ONES, size: 1e10 }],
      }),
    ],
    ['no subject', ({ subject: _, ...document }) => document],
  ])('is refused with %s', (_, change) => {
    expect(read(change)).toBe('STATEMENT_INVALID');
  });

  it('is refused for another subject', () => {
    expect(read((document) => document, ONES)).toBe('STATEMENT_INVALID');
  });
});
