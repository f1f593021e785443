import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, rootCertificates } from 'node:tls';
import { DigestChainError } from '../errors.ts';

/** The `ca` of a TLS connection: Node's own authorities and those of a file. Throws `CA_FILE_INVALID`. */
export function trustedAuthorities(file: string | undefined): { ca?: string[] } {
  if (file === undefined) return {};
  try {
    const pem = readFileSync(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('there is no certificate in it');
    createSecureContext({ ca: pem });
    // Node 22 has had this since 22.15; before, NODE_EXTRA_CA_CERTS is left out once a file is named.
    const own = typeof getCACertificates === 'function' ? getCACertificates('default') : rootCertificates;
    return { ca: [...own, pem] };
  } catch (cause) {
    throw new DigestChainError('CA_FILE_INVALID', 'the file of certificate authorities is of no use', {
      expected: 'a readable file of PEM certificates',
      found: `${file}: ${cause instanceof Error ? cause.message : 'unreadable'}`,
      cause,
    });
  }
}
