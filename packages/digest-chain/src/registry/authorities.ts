import { readFileSync } from 'node:fs';
import { reasonOf } from '../../../kit/src/errors.ts';
import { DigestChainError } from '../errors.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The `ca` of a TLS connection: Node's own authorities and those of a file. Throws `CA_FILE_INVALID`. */
export function trustedAuthorities(file: string | undefined): { ca?: string[] } {
  if (file === undefined) return {};
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const { getCACertificates, rootCertificates } = process.getBuiltinModule('node:tls');
  try {
    const certificates = readFileSync(file, 'utf8').match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    // TLS itself passes over what it can't read, and then says that a registry is not to be trusted.
    for (const certificate of certificates) new X509Certificate(certificate);
    // Node 22 has had this since 22.15; before, NODE_EXTRA_CA_CERTS is left out once a file is named.
    const own = typeof getCACertificates === 'function' ? getCACertificates('default') : rootCertificates;
    return { ca: [...own, ...certificates] };
  } catch (cause) {
    throw new DigestChainError('CA_FILE_INVALID', 'the file of certificate authorities is of no use', {
      expected: 'a readable file of PEM certificates',
      found: `${file}: ${reasonOf(cause)}`,
      cause,
    });
  }
}
