import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A key and its self-signed certificate, for `localhost`, 127.0.0.1 and `registry.example`, that nobody trusts but who names its file. */
export interface TestCertificate {
  /** PEM */
  readonly key: string;
  /** PEM */
  readonly certificate: string;
  /** The path of the certificate. */
  readonly file: string;
  remove(): Promise<void>;
}

export async function createCertificate(): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), 'digest-chain-certificate-'));
  const key = join(folder, 'key.pem');
  const file = join(folder, 'certificate.pem');
  const names = [
    '-subj',
    '/CN=digest-chain test',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:registry.example',
  ];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    key,
    '-out',
    file,
    '-days',
    '2',
    ...names,
  ]);
  return {
    key: await readFile(key, 'utf8'),
    certificate: await readFile(file, 'utf8'),
    file,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
